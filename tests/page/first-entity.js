// `npm run first-entity`: milliseconds from navigation to the first highlighted entity on the page as it is shipped, with
// the model that it opens with, at a first visit and at a second, with a fast network and with 20 Mbit/s. Files are served
// as a host would, compressed by brotli.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { cpus, loadavg } from "node:os";
import { extname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { ROOT, TYPES, launch } from "./chromium.js";

const WWW = join(ROOT, "www");
const NETWORKS = { "no limit": -1, "20 Mbit/s, 40 ms": 20e6 / 8 };
/** The best counts, which is the one that other programs disturbed least. */
const VISITS = 5;

const vite = createRequire(join(WWW, "package.json")).resolve("vite");
const { build } = await import(pathToFileURL(vite).href);
await build({ root: WWW, configFile: join(WWW, "vite.config.js"), logLevel: "error" });
const server = await serveCompressed(join(WWW, "dist"));
const browser = await launch();
console.log(`Chromium ${browser.version()}, ${cpus()[0].model}, load ${loadavg()[0].toFixed(1)} of ${cpus().length}`);

const table = {};
for (const [network, bytesPerSecond] of Object.entries(NETWORKS)) {
  const cold = [];
  const warm = [];
  let loaded;
  for (let visit = 0; visit < VISITS; visit++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(watch);
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    const conditions = { offline: false, downloadThroughput: bytesPerSecond, uploadThroughput: -1 };
    await session.send("Network.emulateNetworkConditions", { ...conditions, latency: bytesPerSecond > 0 ? 40 : 0 });
    const sent = server.sent;
    cold.push(await first(page));
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.waitForTimeout(1500); // the service worker keeps what there is
    loaded = server.sent - sent;
    warm.push(await first(page));
    await context.close();
  }
  const best = (times) => Math.round(Math.min(...times));
  table[network] = { "first visit, ms": best(cold), "second visit, ms": best(warm), "bytes sent": loaded };
}
console.table(table);
await browser.close();
server.close();

/** Milliseconds from navigation to the first entity that is drawn. */
async function first(page) {
  await page.goto(`${server.url}/?device=cpu`);
  await page.waitForFunction(() => window.firstEntity, null, { timeout: 120_000 });
  return page.evaluate(() => window.firstEntity);
}

/** In the page: notes when the first frame with an entity is drawn. */
function watch() {
  const observer = new MutationObserver(() => {
    if (!document.querySelector("#view mark")) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.firstEntity = performance.now())));
  });
  observer.observe(document, { childList: true, subtree: true });
}

/** A server of a folder's files, compressed beforehand. */
async function serveCompressed(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    const compress = extname(path) !== ".safetensors";
    const body = compress ? brotliCompressSync(content) : content;
    const headers = { "content-type": TYPES[extname(path)] ?? "application/octet-stream" };
    if (compress) headers["content-encoding"] = "br";
    const etag = `"${createHash("sha256").update(content).digest("hex").slice(0, 16)}"`;
    files.set(`/${relative(folder, path)}`, { body, headers: { ...headers, "content-length": body.length, etag } });
  }
  const served = { url: "", sent: 0, close: () => {} };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const file = files.get(pathname === "/" ? "/index.html" : pathname);
    if (!file) return response.writeHead(404, { "content-type": "text/plain" }).end("not found");
    response.writeHead(200, file.headers);
    if (request.method === "HEAD") return response.end();
    served.sent += file.body.length;
    response.end(file.body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  served.url = `http://127.0.0.1:${server.address().port}`;
  served.close = () => (server.closeAllConnections(), server.close());
  return served;
}
