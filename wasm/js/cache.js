// Files of models, kept between visits in the Cache API, where the page has one (it needs https).

const NAME = "innerspan-models";

/**
 * The answer that was kept for an address.
 * @param {string} url
 * @returns {Promise<Response | undefined>}
 */
export async function kept(url) {
  try {
    return await (await globalThis.caches?.open(NAME))?.match(url);
  } catch {
    return undefined; // a browser that forbids it, as in private windows
  }
}

/**
 * @param {string} url
 * @param {Response} response
 * @param {Uint8Array<ArrayBuffer>} bytes Its body.
 */
export async function keep(url, response, bytes) {
  const headers = new Headers({ "content-length": String(bytes.length) });
  for (const name of ["content-type", "etag", "last-modified"]) {
    const value = response.headers.get(name);
    if (value) headers.set(name, value);
  }
  try {
    await (await globalThis.caches?.open(NAME))?.put(url, new Response(bytes, { headers }));
  } catch {
    // no room: it is downloaded again at the next visit
  }
}

/**
 * Whether a kept answer is still what the server has: by ETag, else by date and size.
 * @param {Response} old
 * @param {Response} now
 */
export function same(old, now) {
  const both = (/** @type {string} */ name) => [old, now].map((response) => response.headers.get(name));
  const [oldTag, newTag] = both("etag").map((tag) => tag?.replace(/^W\//, ""));
  if (oldTag && newTag) return oldTag === newTag;
  const [oldDate, newDate] = both("last-modified");
  const [oldSize, newSize] = both("content-length");
  const sizesAgree = oldSize === newSize || !newSize || now.headers.has("content-encoding");
  return Boolean(oldDate && newDate) && oldDate === newDate && sizesAgree;
}

/** Removes all models that are kept for later visits. */
export async function clearCache() {
  await globalThis.caches?.delete(NAME);
}
