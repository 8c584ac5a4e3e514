// How calls fail.

/** The longest text of one call, in UTF-16 units. */
export const MAX_TEXT_LENGTH = 1_000_000;

/** What every promise of this package rejects with; its codes are listed in `api.d.ts`. */
export class InnerspanError extends Error {
  /**
   * @param {import("./api.js").ErrorCode} code
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = "InnerspanError";
    this.code = code;
  }
}
