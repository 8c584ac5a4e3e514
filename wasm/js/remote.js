/** @import { Folder, Opened } from "./source.js" */
import { InnerspanError } from "./errors.js";
import { keep, kept, same } from "./cache.js";

/**
 * Files on a web server.
 * @implements {Folder}
 */
export class RemoteFolder {
  #base;

  /** @param {URL} base */
  constructor(base) {
    this.#base = base;
  }

  /** @param {string} name */
  #url(name) {
    const url = new URL(this.#base);
    url.pathname += name;
    return url.href;
  }

  /**
   * Of a file that is kept from an earlier visit only the headers are asked for, and without a network it is taken as
   * it is.
   * @param {string} name
   * @param {AbortSignal} signal
   * @returns {Promise<Opened | undefined>}
   */
  async open(name, signal) {
    const url = this.#url(name);
    const old = await kept(url);
    if (old) {
      const now = await headers(url, signal);
      if (now === undefined || now.status >= 500 || (now.ok && same(old, now))) return opened(old, name);
    }
    const response = await get(url, signal);
    if (response.status === 404 || response.status === 410) return undefined;
    refuse(response, url);
    if (old && same(old, response)) {
      response.body?.cancel().catch(() => {});
      return opened(old, name);
    }
    return opened(response, name, url);
  }

  /**
   * @param {string} name
   * @param {string} advice
   */
  missing(name, advice) {
    return new InnerspanError("network", `${this.#url(name)}: the server has no such file (404); ${advice}`);
  }
}

/**
 * The answer to a request for the headers only; nothing without a network.
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function headers(url, signal) {
  try {
    return await fetch(url, { method: "HEAD", cache: "no-store", signal });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function get(url, signal) {
  try {
    // what is kept is kept by us, where we can
    return await fetch(url, { cache: globalThis.caches ? "no-store" : "default", signal });
  } catch (error) {
    signal.throwIfAborted();
    const reason = /** @type {Error} */ (error).message;
    throw new InnerspanError(
      "network",
      `${url}: cannot be fetched (${reason}); check the address, the connection, and that a server elsewhere allows it (CORS)`,
      { cause: error },
    );
  }
}

/**
 * @param {Response} response
 * @param {string} url
 */
function refuse(response, url) {
  if (!response.ok) {
    const answer = `${response.status} ${response.statusText}`.trim();
    throw new InnerspanError("network", `${url}: the server answered ${answer}; check the address, or try again later`);
  }
  if (response.headers.get("content-type")?.startsWith("text/html")) {
    throw new InnerspanError(
      "network",
      `${url}: a web page came in place of the file, as some servers do for files that they do not have; check the address`,
    );
  }
}

/**
 * @param {Response} response
 * @param {string} name
 * @param {string} [keepAs]
 * @returns {Opened}
 */
function opened(response, name, keepAs) {
  const encoded = response.headers.has("content-encoding");
  const length = Number(response.headers.get("content-length") ?? 0);
  const size = encoded || !Number.isSafeInteger(length) ? 0 : length;
  const read = async (/** @type {(count: number) => void} */ onBytes) => {
    const bytes = await gather(response, size, name, onBytes);
    if (keepAs) await keep(keepAs, response, bytes);
    return bytes;
  };
  return { size, read };
}

/**
 * The whole body. `size` is what the server said, if anything; it lies where it compressed the file without our
 * being allowed to know.
 * @param {Response} response
 * @param {number} size
 * @param {string} name
 * @param {(count: number) => void} onBytes
 */
async function gather(response, size, name, onBytes) {
  let bytes = new Uint8Array(Math.min(size, 2 ** 31));
  let loaded = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read().catch((error) => broken(name, loaded, size, error))) ?? {
      done: true,
    };
    if (done || !value) break;
    if (loaded + value.length > bytes.length) {
      const larger = new Uint8Array(Math.max(loaded + value.length, 2 * bytes.length));
      larger.set(bytes.subarray(0, loaded));
      bytes = larger;
    }
    bytes.set(value, loaded);
    loaded += value.length;
    onBytes(value.length);
  }
  if (loaded < size) broken(name, loaded, size);
  return bytes.subarray(0, loaded);
}

/**
 * @param {string} name
 * @param {number} loaded
 * @param {number} size
 * @param {any} [cause]
 * @returns {never}
 */
function broken(name, loaded, size, cause) {
  if (cause?.name === "AbortError" || cause instanceof InnerspanError) throw cause;
  const all = size > 0 ? ` of ${size}` : "";
  throw new InnerspanError("network", `${name}: the connection broke off after ${loaded}${all} bytes; try again`, {
    cause,
  });
}
