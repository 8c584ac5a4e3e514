// Keeps the page for visits without a network. Models are kept by the package `innerspan` itself.

// Written by the build: the files of the page, the programs of which a browser uses one, and what tells one build of
// the page from another.
const FILES = __FILES__;
const PROGRAMS = __BUILDS__;
const VERSION = __VERSION__;

const PREFIX = "innerspan-page-";
const CACHE = PREFIX + VERSION;
const scope = new URL("./", location.href).href;
const models = `${scope}models/index.json`;
const kept = new Set(FILES.map((file) => new URL(file, scope).href));

addEventListener("install", (event) => {
  event.waitUntil(keepAll().then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith(PREFIX) && name !== CACHE;
  const clear = caches.keys().then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))));
  event.waitUntil(clear.then(() => clients.claim()));
});

// the page has what it needs: what it has loaded is kept too
addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(keepPrograms());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.search = url.hash = "";
  if (request.method !== "GET" || !url.href.startsWith(scope)) return;
  if (request.mode === "navigate") event.respondWith(networkFirst(request, scope));
  else if (url.href === models) event.respondWith(networkFirst(request, url.href));
  else if (url.href.startsWith(`${scope}assets/`)) event.respondWith(cacheFirst(request, url.href));
  else if (kept.has(url.href)) event.respondWith(networkFirst(request, url.href));
});

/** The files of the page, and what models there are, if any. */
async function keepAll() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...kept]);
  await cache.add(models).catch(() => {});
}

/** The programs that the first visit has loaded before this worker saw its requests: from the browser's own cache. */
async function keepPrograms() {
  const cache = await caches.open(CACHE);
  for (const url of PROGRAMS.map((file) => new URL(file, scope).href)) {
    if (await cache.match(url)) continue;
    const response = await fetch(url, { cache: "only-if-cached", mode: "same-origin" }).catch(() => undefined);
    if (response?.ok) await cache.put(url, response);
  }
}

/** Files whose name changes with their content. */
async function cacheFirst(request, key) {
  const cache = await caches.open(CACHE);
  const old = await cache.match(key);
  if (old) return old;
  const response = await fetch(request);
  if (response.ok) await cache.put(key, response.clone());
  return response;
}

async function networkFirst(request, key) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(key, response.clone());
    return response;
  } catch (error) {
    const old = await cache.match(key);
    if (old) return old;
    throw error;
  }
}
