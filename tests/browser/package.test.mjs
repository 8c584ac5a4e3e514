// The package as a user gets it: packed, installed into an empty project, and built by what people build with.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchChromium, openPage } from "./browsers.mjs";
import { TEXT } from "./lab.mjs";
import { here, modelFolder, root } from "./models.mjs";
import { serve } from "./server.mjs";

const MAIN = `
import { InnerspanError, Recognizer } from "innerspan";
import { Recognizer as InWorker } from "innerspan/worker";

window.result = (async () => {
  const counts = [];
  for (const [of, device] of [[Recognizer, "cpu"], [InWorker, "cpu"], [InWorker, "wgpu"]]) {
    const ner = await of.load("/model", { device });
    counts.push((await ner.extract(${JSON.stringify(TEXT)})).length);
    ner.dispose();
  }
  const refused = await Recognizer.load("/nowhere").catch((error) => error instanceof InnerspanError && error.code);
  return { counts, refused };
})();
`;
const HTML = (script) => `<!doctype html><html lang="en"><title>app</title><body>${script}</body></html>`;

let project;
let browser;

before(async () => {
  project = mkdtempSync(join(tmpdir(), "innerspan-project-"));
  const run = (command, given, cwd) =>
    execFileSync(command, given, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const tarball = run("npm", ["pack", "--silent", "--pack-destination", project], join(root, "wasm"))
    .trim()
    .split("\n")
    .at(-1);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(project, tarball)], project);
  writeFileSync(join(project, "main.js"), MAIN);
  writeFileSync(join(project, "index.html"), HTML('<script type="module" src="/main.js"></script>'));
  browser = await launchChromium({ webgpu: true });
});
after(async () => {
  await browser?.close();
  rmSync(project, { recursive: true, force: true });
});

/** Opens a page that ran `MAIN`, and looks at what came out. */
async function check(url) {
  const { page, context, problems } = await openPage(browser, url);
  const { counts, refused } = await page.evaluate(() => window.result);
  assert.ok(counts[0] > 0);
  assert.deepEqual(counts, [counts[0], counts[0], counts[0]]);
  assert.equal(refused, "network");
  assert.deepEqual(problems, []);
  await context.close();
}

function tool(name, ...given) {
  return execFileSync(process.execPath, [join(here, "node_modules", name), ...given], {
    cwd: project,
    encoding: "utf8",
    stdio: "pipe",
  });
}

test("the tarball holds the package and nothing else", () => {
  const installed = join(project, "node_modules", "innerspan");
  assert.deepEqual(readdirSync(installed).sort(), ["README.md", "dist", "package.json"]);
  const dist = readdirSync(join(installed, "dist"), { recursive: true });
  for (const name of ["index.js", "index.d.ts", "api.d.ts", "worker.js", "build/cpu.wasm", "build/webgpu.wasm"]) {
    assert.ok(dist.includes(name), name);
  }
});

test("a plain script that names a file runs it as it is", async () => {
  const own = (name) => `/node_modules/innerspan/dist/${name}.js`;
  const script = MAIN.replace('"innerspan"', `"${own("index")}"`).replace('"innerspan/worker"', `"${own("worker")}"`);
  writeFileSync(join(project, "plain.html"), HTML(`<script type="module">${script}</script>`));
  const server = await serve({ "/model/": modelFolder(), "/": project });
  await check(`${server.origin}/plain.html`);
  await server.close();
});

test("a plain script with an import map runs it as it is", async () => {
  const imports = { innerspan: "/lib/index.js", "innerspan/worker": "/lib/worker.js" };
  const page = HTML(
    `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="/app/main.js"></script>`,
  );
  mkdirSync(join(project, "plain"), { recursive: true });
  writeFileSync(join(project, "plain", "index.html"), page);
  const server = await serve({
    "/app/": project,
    "/lib/": join(project, "node_modules/innerspan/dist"),
    "/model/": modelFolder(),
  });
  await check(`${server.origin}/app/plain/index.html`);
  await server.close();
});

test("from another origin, such as a CDN, page and worker run too", async () => {
  const cdn = await serve({ "/": join(project, "node_modules/innerspan/dist") });
  const imports = { innerspan: `${cdn.origin}/index.js`, "innerspan/worker": `${cdn.origin}/worker.js` };
  mkdirSync(join(project, "cdn"), { recursive: true });
  writeFileSync(
    join(project, "cdn", "index.html"),
    HTML(
      `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="/app/main.js"></script>`,
    ),
  );
  const server = await serve({ "/app/": project, "/model/": modelFolder() });
  await check(`${server.origin}/app/cdn/index.html`);
  await server.close();
  await cdn.close();
});

test("Vite builds it", async () => {
  tool("vite/bin/vite.js", "build", "--logLevel", "error", "--outDir", "vite-dist");
  const server = await serve({ "/model/": modelFolder(), "/": join(project, "vite-dist") });
  await check(`${server.origin}/index.html`);
  await server.close();
});

test("webpack builds it", async () => {
  const config = {
    mode: "production",
    entry: "./main.js",
    output: { path: join(project, "webpack-dist"), publicPath: "/" },
  };
  writeFileSync(join(project, "webpack.config.json"), JSON.stringify(config));
  tool("webpack-cli/bin/cli.js", "--config", "webpack.config.json");
  writeFileSync(join(project, "webpack-dist", "index.html"), HTML('<script src="/main.js"></script>'));
  const server = await serve({ "/model/": modelFolder(), "/": join(project, "webpack-dist") });
  await check(`${server.origin}/index.html`);
  await server.close();
});

test("TypeScript knows its types, and refuses what is wrong", () => {
  writeFileSync(
    join(project, "types.ts"),
    `
import { InnerspanError, MAX_TEXT_LENGTH, Recognizer, clearCache, type Entity, type Progress } from "innerspan";
import { Recognizer as InWorker } from "innerspan/worker";

const onProgress = (progress: Progress) => {
  if (progress.stage === "load") console.log(progress.file, progress.loaded / progress.total);
};
const signal = new AbortController().signal;
export async function main(files: FileList): Promise<Entity[]> {
  const ner: Recognizer = await Recognizer.load("/model", { device: "auto", precision: "q8", onProgress, signal });
  const other = await InWorker.load(files);
  await InWorker.load({ "config.json": new Uint8Array(1), "tokenizer.json": new Blob() });
  const [first] = await other.extractBatch(["a", "b"], { threshold: 0.3 });
  const labels: readonly string[] = ner.labels;
  console.log(ner.device.kind === "wgpu", ner.device.reason, labels, MAX_TEXT_LENGTH);
  try {
    return [...first, ...(await ner.extract("text"))];
  } catch (error) {
    if (error instanceof InnerspanError && error.code === "too-long") await clearCache();
    throw error;
  } finally {
    ner.dispose();
  }
}
// @ts-expect-error no such device
void Recognizer.load("/model", { device: "gpu" });
// @ts-expect-error no number
void Recognizer.load(5);
// @ts-expect-error no such code
export const wrong = (error: InnerspanError) => error.code === "nonsense";
`,
  );
  const strict = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom", "--skipLibCheck", "false"];
  for (const resolution of [
    ["--module", "esnext", "--moduleResolution", "bundler"],
    ["--module", "nodenext"],
  ]) {
    tool("typescript/bin/tsc", ...strict, ...resolution, "types.ts");
  }
});
