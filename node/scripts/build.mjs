// Builds the compiled half for this machine, or for the Rust target that is given, and puts it beside package.json as
// napi does: innerspan-node.linux-x64-gnu.node.

import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { hostTarget, targets } from "./targets.mjs";
import "./shared.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const triple = process.argv[2];
const target = triple ? targets.find((target) => target.triple === triple) : hostTarget();
if (!target) throw new Error(`no such target: ${triple}; there are ${targets.map(({ triple }) => triple).join(", ")}`);

// all of the workspace, because another selection would build its dependencies a second time
const selection = triple ? ["--target", triple, "--package", "innerspan-node"] : ["--workspace"];
const build = ["build", "--release", "--locked", ...selection, "--message-format=json-render-diagnostics"];
const output = execFileSync("cargo", build, {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 1 << 28,
  stdio: ["ignore", "pipe", "inherit"],
});
const messages = output.split("\n").filter(Boolean).map((line) => JSON.parse(line));
const library = messages
  .filter((message) => message.reason === "compiler-artifact" && message.target.name === "innerspan_node")
  .flatMap((message) => message.filenames)
  .find((file) => /\.(so|dylib|dll)$/.test(file));
const addon = join(root, "node", `innerspan-node.${target.name}.node`);
// a process that has the old file open keeps it
rmSync(addon, { force: true });
copyFileSync(library, addon);
console.log(addon);
