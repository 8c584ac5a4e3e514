// Serves the package and model folders, and every way in which a server can fail.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * @param {Record<string, string>} mounts Folders by the prefix of their address, such as `/model/`.
 * @returns what it is at, the requests it has seen (`GET /model/config.json 200`), and what it does to files:
 *   `faults` by the end of their address.
 */
export async function serve(mounts) {
  const requests = [];
  const faults = new Map();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    response.on("close", () => requests.push(`${request.method} ${pathname} ${response.statusCode}`));
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "etag");
    const fault = [...faults].find(([end]) => pathname.endsWith(end))?.[1];
    try {
      await answer(request, response, pathname, mounts, fault);
    } catch {
      if (!response.headersSent) response.writeHead(404, { "content-type": "text/plain" });
      response.end("not found");
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    requests,
    faults,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request, response, pathname, mounts, fault) {
  if (pathname === "/" || pathname === "/page.html") {
    response.writeHead(200, { "content-type": TYPES[".html"] });
    return response.end(
      '<!doctype html><html lang="en"><title>test</title><link rel="icon" href="data:," /><body></body></html>',
    );
  }
  const prefix = Object.keys(mounts).find((prefix) => pathname.startsWith(prefix));
  if (!prefix) throw new Error("no such mount");
  const path = join(mounts[prefix], normalize(decodeURIComponent(pathname.slice(prefix.length))));
  if (fault === "missing") throw new Error("fault");
  if (fault === "html") {
    response.writeHead(200, { "content-type": TYPES[".html"] });
    return response.end("<!doctype html><title>Not found</title>");
  }
  if (typeof fault === "number") {
    response.writeHead(fault);
    return response.end();
  }
  const { size, mtime } = await stat(path);
  const etag = `"${createHash("sha1")
    .update(`${path} ${size} ${mtime.getTime()} ${fault ?? ""}`)
    .digest("hex")
    .slice(0, 16)}"`;
  const headers = {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "content-length": size,
    "last-modified": mtime.toUTCString(),
    etag,
    "cache-control": "no-cache",
  };
  if (typeof fault === "object") {
    const content = fault.replace(await readFile(path));
    response.writeHead(200, { ...headers, "content-length": content.length });
    return response.end(content);
  }
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, headers);
    return response.end();
  }
  response.writeHead(200, headers);
  if (request.method === "HEAD") return response.end();
  if (fault === "broken" || fault === "stalled") {
    response.write((await readFile(path)).subarray(0, size / 2));
    if (fault === "broken") setTimeout(() => response.destroy(), 50);
    return;
  }
  createReadStream(path).pipe(response);
}
