export { clearCache } from "./cache.js";
export { MAX_TEXT_LENGTH } from "./check.js";
export { InnerspanError } from "./errors.js";
export { Recognizer } from "./recognizer.js";
