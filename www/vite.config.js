import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

/** Nothing from elsewhere is run, and what is written here can be sent nowhere: browsers see to it. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The policy in the page; not while developing, when Vite adds styles as it goes. */
function contentSecurityPolicy() {
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
    ],
  };
}

/** Writes the service worker, which knows the files of this build. */
function serviceWorker() {
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const names = Object.keys(bundle).filter((name) => name !== "index.html");
      const builds = names.filter((name) => name.endsWith(".wasm"));
      const files = ["./", "icon.svg", "manifest.webmanifest", ...names.filter((name) => !builds.includes(name))];
      const hash = createHash("sha256")
        .update(JSON.stringify(names))
        .update(bundle["index.html"]?.source ?? "");
      const source = readFileSync(new URL("./src/service-worker.js", import.meta.url), "utf8")
        .replace("__FILES__", JSON.stringify(files))
        .replace("__BUILDS__", JSON.stringify(builds))
        .replace("__VERSION__", JSON.stringify(hash.digest("hex").slice(0, 12)));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}

export default defineConfig({
  base: "./",
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: "es" },
  // the package finds its worker and its wasm beside itself
  optimizeDeps: { exclude: ["innerspan"] },
  server: { fs: { allow: [".."] } },
  plugins: [contentSecurityPolicy(), serviceWorker()],
});
