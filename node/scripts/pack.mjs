// Packs what was built: one package per platform whose .node file is here, and the main one, which names them all as
// optional dependencies. The tarballs go to dist/, ready for `npm publish`.

import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { targets } from "./targets.mjs";
import "./shared.mjs";

const here = fileURLToPath(new URL("..", import.meta.url));
const dist = join(here, "dist");
const main = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
const { version, license, engines } = main;
const licences = ["LICENSE-APACHE", "LICENSE-MIT"];

rmSync(dist, { recursive: true, force: true });
for (const { name, os, cpu, libc } of targets) {
  const addon = `innerspan-node.${name}.node`;
  if (!existsSync(join(here, addon))) continue;
  const description = `The compiled half of innerspan-node for ${name}`;
  const manifest = {
    ...{ name: `innerspan-node-${name}`, version, description, license, engines },
    ...{ os: [os], cpu: [cpu], ...(libc && { libc: [libc] }), main: addon, files: [addon] },
  };
  const folder = stage(manifest);
  copyFileSync(join(here, addon), join(folder, addon));
  pack(folder);
}

const { scripts: _, devDependencies: __, prettier: ___, ...published } = main;
const optionalDependencies = Object.fromEntries(targets.map(({ name }) => [`innerspan-node-${name}`, version]));
const folder = stage({ ...published, optionalDependencies });
cpSync(join(here, "js"), join(folder, "js"), { recursive: true });
copyFileSync(join(here, "README.md"), join(folder, "README.md"));
pack(folder);

/** A folder in dist/ with a manifest and the licences. */
function stage(manifest) {
  const folder = join(dist, manifest.name);
  mkdirSync(folder, { recursive: true });
  const files = [...manifest.files, ...licences];
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, files }, null, 2) + "\n");
  for (const file of licences) copyFileSync(join(here, "..", file), join(folder, file));
  return folder;
}

function pack(folder) {
  // npm is a script of the shell on Windows
  const options = { encoding: "utf8", shell: process.platform === "win32" };
  const tarball = execFileSync("npm", ["pack", folder, "--pack-destination", dist, "--silent"], options);
  console.log(join(dist, tarball.trim()));
}
