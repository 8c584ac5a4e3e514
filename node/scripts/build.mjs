// Builds the compiled half for this machine and puts it beside package.json, named as napi does:
// innerspan-node.linux-x64-gnu.node.

import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import "./shared.mjs";
import { hostTarget } from "./targets.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
// all of the workspace, because another selection would build its dependencies a second time
const build = ["build", "--release", "--locked", "--workspace", "--message-format=json-render-diagnostics"];
const output = execFileSync("cargo", build, {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 1 << 28,
  stdio: ["ignore", "pipe", "inherit"],
});
const messages = output
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line));
const library = messages
  .filter((message) => message.reason === "compiler-artifact" && message.target.name === "innerspan_node")
  .flatMap((message) => message.filenames)
  .find((file) => /\.(so|dylib|dll)$/.test(file));
const addon = join(root, "node", `innerspan-node.${hostTarget().name}.node`);
// a process that has the old file open keeps it
rmSync(addon, { force: true });
copyFileSync(library, addon);
console.log(addon);
