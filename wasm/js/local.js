/** @import { Folder, Opened } from "./source.js" */
import { input, show } from "./check.js";
import { InnerspanError } from "./errors.js";

/**
 * Files that the page already has.
 * @implements {Folder}
 */
export class LocalFolder {
  #files;

  /** @param {Map<string, unknown>} files */
  constructor(files) {
    for (const [name, file] of files) {
      if (!(file instanceof Blob || file instanceof ArrayBuffer || ArrayBuffer.isView(file))) {
        throw input(`the file ${show(name)} is ${show(file)}; give a File, Blob, ArrayBuffer or Uint8Array`);
      }
    }
    this.#files = /** @type {Map<string, Blob | ArrayBuffer | ArrayBufferView>} */ (files);
  }

  /**
   * @param {string} name
   * @returns {Promise<Opened | undefined>}
   */
  async open(name) {
    const file = this.#files.get(name);
    if (file === undefined) return undefined;
    const size = file instanceof Blob ? file.size : file.byteLength;
    const read = async (/** @type {(count: number) => void} */ onBytes) => {
      const bytes = await bytesOf(file, name);
      onBytes(bytes.length);
      return bytes;
    };
    return { size, read };
  }

  /**
   * @param {string} name
   * @param {string} advice
   */
  missing(name, advice) {
    const given = [...this.#files.keys()].slice(0, 10).join(", ");
    return new InnerspanError("file", `${name}: not among the files given (${given}); ${advice}`);
  }
}

/**
 * @param {Blob | ArrayBuffer | ArrayBufferView} file
 * @param {string} name
 */
async function bytesOf(file, name) {
  if (file instanceof ArrayBuffer) {
    if (file.detached) throw input(`the file "${name}" is an ArrayBuffer that was transferred away; give it anew`);
    return new Uint8Array(file);
  }
  if (ArrayBuffer.isView(file)) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    const message = /** @type {Error} */ (error).message;
    throw new InnerspanError("io", `${name}: the file cannot be read (${message}); choose it again`, { cause: error });
  }
}
