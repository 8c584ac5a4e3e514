// The compiled half: one file per platform, in an optional package of its own that npm chooses.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { InnerspanError } from "./errors.js";

const require = createRequire(import.meta.url);

/** The platforms that have a package, as `process.platform` and `process.arch` say it. */
export const TARGETS = new Map([
  ["linux x64", ["linux-x64-gnu", "linux-x64-musl"]],
  ["linux arm64", ["linux-arm64-gnu", "linux-arm64-musl"]],
  ["darwin x64", ["darwin-x64"]],
  ["darwin arm64", ["darwin-arm64"]],
  ["win32 x64", ["win32-x64-msvc"]],
  ["win32 arm64", ["win32-arm64-msvc"]],
]);

/** @type {import("./addon.d.ts").Native | undefined} */
let loaded;

/**
 * The compiled half.
 * @returns {import("./addon.d.ts").Native}
 */
export function native() {
  loaded ??= find(process.platform, process.arch);
  return loaded;
}

/**
 * @param {string} platform
 * @param {string} arch
 * @returns {import("./addon.d.ts").Native}
 */
export function find(platform, arch) {
  const targets = TARGETS.get(`${platform} ${arch}`);
  if (targets === undefined) {
    const all = [...TARGETS.values()].flat().join(", ");
    throw new InnerspanError(
      "device",
      `innerspan-node has no build for ${platform} ${arch}; there are builds for ${all}`,
    );
  }
  const failures = [];
  for (const target of targets) {
    // a build of this checkout comes first
    const own = fileURLToPath(new URL(`../innerspan-node.${target}.node`, import.meta.url));
    try {
      return require(existsSync(own) ? own : `innerspan-node-${target}`);
    } catch (error) {
      failures.push(error instanceof Error ? error.message.split("\n")[0] : String(error));
    }
  }
  const names = targets.map((target) => `innerspan-node-${target}`).join(" or ");
  const message =
    `innerspan-node found no build for ${platform} ${arch}, which is in the optional package ${names}: install again ` +
    `without --omit=optional and without a package-lock.json that was made on another platform (${failures.join("; ")})`;
  throw new InnerspanError("device", message);
}
