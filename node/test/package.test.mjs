// What `npm install` gives a user: the tarballs in an empty folder, on a machine without a compiler.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { TARGETS } from "../js/native.js";
import { targets } from "../scripts/targets.mjs";
import { MODEL, npm, run, TEXT } from "./support.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

let folder = "";
let app = "";
let env = {};
before(async () => {
  const packed = await npm(["run", "--silent", "pack"]);
  assert.equal(packed.code, 0, packed.stderr);
  const tarballs = packed.stdout.trim().split(/\r?\n/);
  assert.equal(tarballs.length, 2, packed.stdout);

  folder = mkdtempSync(join(tmpdir(), "innerspan-install-"));
  if (process.platform === "win32") {
    env = { PATH: [dirname(process.execPath), join(process.env.SystemRoot ?? "", "System32")].join(delimiter) };
  } else {
    // nothing but node is on the path: no cc, no cargo, no python
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const npmCli = (await run("which", ["npm"])).stdout.trim();
    for (const [name, program] of [
      ["sh", "/bin/sh"],
      ["env", "/usr/bin/env"],
      ["node", process.execPath],
      ["npm", npmCli],
    ]) {
      symlinkSync(program, join(bin, name));
    }
    env = { PATH: bin };
  }
  app = join(folder, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), "{}");
  const installed = await npm(["install", "--offline", "--no-audit", "--no-fund", ...tarballs], { cwd: app, env });
  assert.equal(installed.code, 0, installed.stderr);
});
after(() => rmSync(folder, { recursive: true, force: true }));

const runThere = (name, source) => {
  writeFileSync(join(app, name), source);
  return run(process.execPath, [name], { cwd: app, env });
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
     const { highlightHtml } = require("innerspan-node/highlight");
     Recognizer.load(${JSON.stringify(MODEL)}, { device: "cpu" })
       .then((ner) => ner.extract(${JSON.stringify(TEXT)}))
       .then((entities) => console.log(highlightHtml(${JSON.stringify(TEXT)}, entities).includes("SHIP")));`,
  );
  assert.deepEqual([stdout, stderr], ["true\n", ""]);
});

test("the installed types satisfy the strictest settings, from ES modules and CommonJS", async () => {
  for (const file of ["usage.ts", "usage.cts"]) {
    // an .mts file is an ES module whatever package.json says
    cpSync(here(`types/${file}`), join(app, file.replace(/\.ts$/, ".mts")));
  }
  const compilerOptions = {
    ...{ strict: true, skipLibCheck: false, noEmit: true, module: "nodenext", target: "es2023", lib: ["es2023"] },
    ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true },
    ...{ isolatedModules: true, types: ["node"], typeRoots: [here("../node_modules/@types")] },
  };
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.mts", "*.cts"] }));
  const tsc = here("../node_modules/typescript/bin/tsc");
  const { code, stdout } = await run(process.execPath, [tsc, "-p", "."], { cwd: app });
  assert.equal(code, 0, stdout);
});

test("without the platform's package, the error names platform and package", async () => {
  const [own] = readdirSync(join(app, "node_modules")).filter((name) => name.startsWith("innerspan-node-"));
  rmSync(join(app, "node_modules", own), { recursive: true });
  const { stdout } = await runThere(
    "lacking.mjs",
    `import { Recognizer } from "innerspan-node";
     await Recognizer.load("x").catch((error) => console.log(error.code, error.message));`,
  );
  assert.ok(stdout.startsWith("device "), stdout);
  assert.ok(stdout.includes(`${process.platform} ${process.arch}`) && stdout.includes(own), stdout);
});

test("the main package holds types, licences and nothing compiled", () => {
  const installed = join(app, "node_modules", "innerspan-node");
  const files = readdirSync(installed, { recursive: true }).map((file) => String(file).replaceAll("\\", "/"));
  for (const file of ["js/index.js", "js/index.d.ts", "js/api.d.ts", "js/highlight.d.ts", "LICENSE-MIT", "README.md"]) {
    assert.ok(files.includes(file), `${file} is missing among ${files}`);
  }
  assert.ok(!files.some((file) => file.endsWith(".node")));
  const read = (path) => readFileSync(path, "utf8");
  assert.equal(read(join(installed, "js/api.d.ts")), read(here("../../wasm/js/api.d.ts")));
});

test("all platforms are built, published and looked for", () => {
  const names = targets.map(({ name }) => name).toSorted();
  const { optionalDependencies, version } = JSON.parse(
    readFileSync(join(app, "node_modules", "innerspan-node", "package.json"), "utf8"),
  );
  assert.deepEqual(
    optionalDependencies,
    Object.fromEntries(targets.map(({ name }) => [`innerspan-node-${name}`, version])),
  );
  assert.deepEqual([...TARGETS.values()].flat().toSorted(), names);
  const workflow = readFileSync(here("../../.github/workflows/node.yml"), "utf8");
  const built = [...workflow.matchAll(/\btarget: ([\w-]+)/g)].map(([, name]) => name);
  assert.deepEqual(built.toSorted(), names);
});
