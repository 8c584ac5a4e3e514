// The package `innerspan-node`.

export { InnerspanError, MAX_TEXT_LENGTH } from "./errors.js";
export { Recognizer } from "./recognizer.js";
