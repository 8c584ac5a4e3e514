// Builds the package into dist/: `node build.mjs [--only BUILD] [--if-missing]`.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { highlightCss } from "./js/highlight.js";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const dist = join(here, "dist");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const TRIPLE = "wasm32-unknown-unknown";

/**
 * The CPU build is small and comes first; the other is loaded only where there is a GPU. What is fast in the one is small
 * in the other, which computes next to nothing on the CPU.
 */
const BUILDS = {
  cpu: { options: [], optimise: "-Os" },
  webgpu: {
    options: ["--features", "webgpu", ...small("burn-flex", "gemm", "gemm-common", "gemm-f32")],
    optimise: "-Oz",
  },
};

/** Options that make crates small, which `[profile.wasm.package]` makes fast. */
function small(...crates) {
  return crates.flatMap((crate) => ["--config", `profile.wasm.package.${crate}.opt-level="s"`]);
}

const arguments_ = process.argv.slice(2);
const only = arguments_.includes("--only") ? arguments_[arguments_.indexOf("--only") + 1] : undefined;
const complete = ["index.js", ...Object.keys(BUILDS).map((name) => `build/${name}.wasm`)];
if (arguments_.includes("--if-missing") && complete.every((name) => existsSync(join(dist, name)))) process.exit();

copyScripts();
const { cargo, options, env } = toolchain();
const bindgen = wasmBindgen();
for (const name of Object.keys(BUILDS)) {
  if (only === undefined || only === name) build(name, BUILDS[name]);
}

/** JavaScript and types are shipped as they are written. */
function copyScripts() {
  mkdirSync(join(dist, "build"), { recursive: true });
  for (const name of readdirSync(dist)) if (name !== "build") rmSync(join(dist, name), { recursive: true });
  cpSync(join(here, "js"), dist, { recursive: true, filter: (path) => !path.endsWith("js/build") });
  cpSync(join(here, "js", "build"), join(dist, "build"), { recursive: true });
  writeFileSync(join(dist, "highlight.css"), highlightCss);
}

/** rustup's target where it is installed, else the standard library built from Debian's sources. */
function toolchain() {
  const sysroot = run("rustc", ["--print", "sysroot"], { capture: true });
  if (existsSync(join(sysroot, "lib", "rustlib", TRIPLE))) return { cargo: "cargo", options: [], env: {} };
  if (!existsSync("/usr/lib/rustlib/src")) {
    fail(
      `the target ${TRIPLE} is missing: rustup target add ${TRIPLE} (on Debian also: apt install rustc-web cargo-web rust-web-src)`,
    );
  }
  const host = /host: (.*)/.exec(run("rustc", ["-vV"], { capture: true }))[1];
  return {
    cargo: "/usr/bin/cargo",
    options: ["-Zbuild-std=std,panic_abort"],
    env: {
      RUSTC: "/usr/bin/rustc",
      RUSTC_BOOTSTRAP: "1",
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: join(sysroot, "lib", "rustlib", host, "bin", "rust-lld"),
    },
  };
}

/** The command `wasm-bindgen` of exactly the version that the crates have. */
function wasmBindgen() {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const version = /name = "wasm-bindgen"\nversion = "(.*)"/.exec(lock)[1];
  const own = join(target, "tools");
  const has = (command) => {
    try {
      return run(command, ["--version"], { capture: true }).endsWith(` ${version}`);
    } catch {
      return false;
    }
  };
  const command = ["wasm-bindgen", join(own, "bin", "wasm-bindgen")].find(has);
  if (command) return command;
  run("cargo", [
    "install",
    "wasm-bindgen-cli",
    "--version",
    version,
    "--root",
    own,
    "--target-dir",
    join(own, "target"),
  ]);
  return join(own, "bin", "wasm-bindgen");
}

function build(name, { options: own, optimise }) {
  run(cargo, ["build", "--profile", "wasm", "--target", TRIPLE, "-p", "innerspan-wasm", ...own, ...options], {
    cwd: root,
    env,
  });
  const compiled = join(target, TRIPLE, "wasm", "innerspan_wasm.wasm");
  const work = join(target, "bindgen", name);
  run(bindgen, [
    "--target",
    "web",
    "--no-typescript",
    "--omit-default-module-path",
    "--out-dir",
    work,
    "--out-name",
    name,
    compiled,
  ]);
  writeFileSync(join(dist, "build", `${name}.js`), factory(readFileSync(join(work, `${name}.js`), "utf8")));
  const optimised = join(dist, "build", `${name}.wasm`);
  const optimiser = join(here, "node_modules", "binaryen", "bin", "wasm-opt");
  run(process.execPath, [
    optimiser,
    optimise,
    "--strip-debug",
    "--strip-producers",
    "-o",
    optimised,
    join(work, `${name}_bg.wasm`),
  ]);
  console.log(`dist/build/${name}.wasm: ${statSync(optimised).size.toLocaleString("en")} bytes`);
}

/**
 * wasm-bindgen's module holds one instance for all that import it. Here every recognizer has its own, so that a trap
 * in one leaves the others alone and its memory goes with it: the module's body becomes that of a function.
 */
function factory(module) {
  const names = [];
  const body = module
    .replace(/\/\*\*[^]*?\*\/\n/g, "")
    .replace(/^ *\/\*\*[^]*?\*\/\n/gm, "")
    .replace(/^export (?=(?:class|function|const) (\w+))/gm, (_, word, at, all) => {
      names.push(/^export \w+ (\w+)/.exec(all.slice(at))[1]);
      return "";
    })
    .replace(
      /^export \{ initSync, __wbg_init as default \};$/m,
      `return { instantiate: __wbg_init, ${names.join(", ")} };`,
    );
  if (!body.includes("return { instantiate:") || /^(export|import) /m.test(body))
    fail("wasm-bindgen writes another form of module now");
  return `// written by wasm-bindgen\nexport function create(queueMicrotask) {\n${body}}\n`;
}

function run(command, given, { capture = false, cwd, env } = {}) {
  const stdio = capture ? ["ignore", "pipe", "ignore"] : ["ignore", "inherit", "inherit"];
  const output = execFileSync(command, given, { cwd, env: { ...process.env, ...env }, stdio, encoding: "utf8" });
  return output?.trim();
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
