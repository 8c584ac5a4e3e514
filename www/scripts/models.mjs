// Puts models beside the page, into public/models:
//
//   npm run models                                          trains the small model of the demo, if it is not there yet
//   npm run models -- add DIR --name NAME [--examples X]    adds a model that was trained elsewhere, as the first choice
//
// X names the examples in src/examples.js that suit it, such as `biomedicine`.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const MODELS = path("../public/models");
const DATA = path("../../native-cli/demo");
/** The weights that there may be, in the order in which they are offered. */
const WEIGHTS = { q8: "model.q8.safetensors", f16: "model.f16.safetensors", f32: "model.safetensors" };

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { name: { type: "string" }, examples: { type: "string" } },
});
mkdirSync(MODELS, { recursive: true });
if (positionals[0] === "add" && positionals[1]) {
  const folder = resolve(positionals[1]);
  add(folder, basename(folder), { name: values.name ?? basename(folder), examples: values.examples });
} else if (positionals.length > 0) {
  fail("use it as `npm run models` or `npm run models -- add DIR --name NAME`");
} else if (!existsSync(join(MODELS, "demo", "about.json"))) {
  trainDemo();
}
writeIndex();

/** Well under two minutes on two cores; the same settings as `innerspan demo`. */
function trainDemo() {
  const innerspan = binary();
  if (!innerspan) {
    console.warn(
      "note: there is no `innerspan` (cargo build --release), so no model is trained; the page opens without one",
    );
    return;
  }
  const out = mkdtempSync(join(tmpdir(), "innerspan-demo-"));
  const run = (...options) => execFileSync(innerspan, options, { stdio: ["ignore", "ignore", "inherit"] });
  const [train, dev] = ["train.jsonl", "dev.jsonl"].map((file) => join(DATA, file));
  const settings = ["--epochs", "25", "--lr", "1e-3", "--head-lr", "2e-3", "--dropout", "0.3"];
  run("train", "--train", train, "--dev", dev, "--encoder", "tiny", "--out", out, "--overwrite", ...settings);
  run("quantize", "--model", out, "--precision", "q8");
  add(out, "demo", { name: "Harbour logs", examples: "harbour" });
  rmSync(out, { recursive: true });
}

/** The program: $INNERSPAN, that of this repository, or that of the system. */
function binary() {
  const own = join(process.env.CARGO_TARGET_DIR ?? path("../../target"), "release", "innerspan");
  return [process.env.INNERSPAN, own, "innerspan"].find((program) => {
    try {
      return program && execFileSync(program, ["--version"], { stdio: "pipe" });
    } catch {
      return false;
    }
  });
}

function add(from, folder, about) {
  const to = join(MODELS, folder);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  for (const file of ["config.json", "tokenizer.json", ...Object.values(WEIGHTS)]) {
    if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file));
    else if (file.endsWith(".json")) fail(`${from} is not the folder of a model: it has no ${file}`);
  }
  writeFileSync(join(to, "about.json"), `${JSON.stringify(about)}\n`);
}

/** What the page reads: all models there are, that of the demo last. */
function writeIndex() {
  const folders = readdirSync(MODELS).filter((folder) => existsSync(join(MODELS, folder, "about.json")));
  folders.sort((a, b) => Number(a === "demo") - Number(b === "demo") || a.localeCompare(b));
  const models = folders.map((folder) => {
    const about = JSON.parse(readFileSync(join(MODELS, folder, "about.json"), "utf8"));
    const files = Object.entries(WEIGHTS).map(([precision, file]) => [precision, join(MODELS, folder, file)]);
    const there = files.filter(([, file]) => existsSync(file));
    return { folder, ...about, weights: Object.fromEntries(there.map(([name, file]) => [name, statSync(file).size])) };
  });
  writeFileSync(join(MODELS, "index.json"), `${JSON.stringify({ models }, null, 2)}\n`);
  console.log(models.map(({ name, folder }) => `public/models/${folder}: ${name}`).join("\n"));
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}
