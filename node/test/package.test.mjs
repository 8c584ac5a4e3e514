// What `npm install` gives a user: the tarballs in an empty folder, on a machine without a compiler.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { MODEL, run, TEXT } from "./support.mjs";

let folder = "";
let env = {};
before(async () => {
  const packed = await run("npm", ["run", "--silent", "pack"]);
  assert.equal(packed.code, 0, packed.stderr);
  const tarballs = packed.stdout.trim().split("\n");
  assert.equal(tarballs.length, 2, packed.stdout);

  folder = mkdtempSync(join(tmpdir(), "innerspan-install-"));
  // nothing but node is on the path: no cc, no cargo, no python
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const program of ["/bin/sh", process.execPath]) symlinkSync(program, join(bin, program.split("/").at(-1) ?? ""));
  const npm = (await run("which", ["npm"])).stdout.trim();
  symlinkSync(npm, join(bin, "npm"));
  symlinkSync("/usr/bin/env", join(bin, "env"));
  env = { PATH: bin };
  const app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), "{}");
  const installed = await run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs], {
    cwd: app,
    env,
  });
  assert.equal(installed.code, 0, installed.stderr);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const runThere = (name, source) => {
  writeFileSync(join(folder, "app", name), source);
  return run(process.execPath, [name], { cwd: join(folder, "app"), env });
};

test("an ES module finds entities", async () => {
  const { stdout, stderr } = await runThere(
    "app.mjs",
    `import { Recognizer } from "innerspan-node";
     const ner = await Recognizer.load(${JSON.stringify(MODEL)});
     console.log((await ner.extract(${JSON.stringify(TEXT)})).some(({ text }) => text === "Grey Petrel"));`,
  );
  assert.equal(stdout, "true\n", stderr);
});

test("a CommonJS module finds entities, without a warning", async () => {
  const { stdout, stderr } = await runThere(
    "app.cjs",
    `const { Recognizer } = require("innerspan-node");
     Recognizer.load(${JSON.stringify(MODEL)}, { device: "cpu" })
       .then((ner) => ner.extract(${JSON.stringify(TEXT)}))
       .then((entities) => console.log(entities.length > 0));`,
  );
  assert.deepEqual([stdout, stderr], ["true\n", ""]);
});

test("without the platform's package, the error names platform and package", async () => {
  const [own] = readdirSync(join(folder, "app", "node_modules")).filter((name) => name.startsWith("innerspan-node-"));
  rmSync(join(folder, "app", "node_modules", own), { recursive: true });
  const { stdout } = await runThere(
    "lacking.mjs",
    `import { Recognizer } from "innerspan-node";
     await Recognizer.load("x").catch((error) => console.log(error.code, error.message));`,
  );
  assert.ok(stdout.startsWith("device "), stdout);
  assert.ok(stdout.includes(`${process.platform} ${process.arch}`) && stdout.includes(own), stdout);
});

test("the main package holds types, licences and nothing compiled", () => {
  const installed = join(folder, "app", "node_modules", "innerspan-node");
  const files = readdirSync(installed, { recursive: true }).map(String);
  for (const file of ["js/index.js", "js/index.d.ts", "js/api.d.ts", "js/highlight.d.ts", "LICENSE-MIT", "README.md"]) {
    assert.ok(files.includes(file), `${file} is missing among ${files}`);
  }
  assert.ok(!files.some((file) => file.endsWith(".node")));
  const { optionalDependencies, version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  assert.equal(optionalDependencies["innerspan-node-darwin-arm64"], version);
});
