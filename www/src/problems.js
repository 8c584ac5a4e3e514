// What went wrong, in words for a reader, with what to do about it.

/** @type {Partial<Record<import("innerspan").ErrorCode, [title: string, advice: string]>>} */
const KNOWN = {
  network: ["The model could not be downloaded", "Check the connection and try again."],
  file: ["This model cannot be used", "Choose the folder of another, as the program innerspan writes it."],
  io: ["A file could not be read", "Choose the folder again."],
  device: ["The graphics card cannot be used", "Try again: the processor can do it too, only slower."],
  memory: ["There is not enough memory", "Close other tabs, or choose a smaller model."],
  "too-long": ["The text is too long", "Split it and try the parts one by one."],
  input: ["This text cannot be read", "It holds characters that are none. Paste it again as plain text."],
  internal: ["Something broke in here", "Try again; if it comes back, please report it with the details below."],
};

/** @param {unknown} error @returns {{ title: string, advice: string, details: string }} */
export function explain(error) {
  const { code, message } = /** @type {{ code?: keyof typeof KNOWN, message?: string }} */ (error ?? {});
  const details = message ?? String(error);
  // our own words are meant for readers as they are
  if (error instanceof TypeError && !code) return { title: "That does not work", advice: details, details: "" };
  const [title, advice] = (code && KNOWN[code]) ?? KNOWN.internal ?? ["", ""];
  return { title, advice, details };
}

/** Whether work was given up on purpose, which is nobody's problem. @param {unknown} error */
export function isAborted(error) {
  const { code, name } = /** @type {{ code?: unknown, name?: string }} */ (error ?? {});
  return code === "aborted" || code === "disposed" || name === "AbortError";
}
