/** @import { Device, DeviceChoice } from "./api.js" */
import { InnerspanError } from "./errors.js";

/** What software adapters call themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render|\bwarp\b/i;

/**
 * The device for a choice. A software adapter is slower than the CPU itself, so `auto` never takes one.
 * @param {DeviceChoice} choice
 * @returns {Promise<Device>}
 */
export async function chooseDevice(choice) {
  if (choice === "cpu") return cpu("asked for");
  const found = await findAdapter();
  if ("reason" in found) {
    if (choice === "auto") return cpu(found.reason);
    throw new InnerspanError("device", `${found.reason}; use the device "cpu" or "auto"`);
  }
  if (choice === "auto" && found.software) {
    return cpu(`the only graphics adapter is a software one (${found.name}), which is slower`);
  }
  return { kind: "wgpu", name: `${found.name} (WebGPU)`, reason: choice === "auto" ? "a GPU was found" : "asked for" };
}

/**
 * @param {string} reason
 * @returns {Device}
 */
export function cpu(reason) {
  return { kind: "cpu", name: "CPU (1 thread, SIMD)", reason };
}

/** @returns {Promise<{ reason: string } | { name: string, software: boolean }>} */
async function findAdapter() {
  const gpu = /** @type {any} */ (globalThis.navigator)?.gpu;
  if (!gpu) {
    const insecure = globalThis.isSecureContext === false;
    return { reason: insecure ? "WebGPU needs a page served by https" : "this browser has no WebGPU" };
  }
  let adapter;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch (error) {
    return { reason: `the browser refuses its graphics adapter (${/** @type {Error} */ (error).message})` };
  }
  if (!adapter) return { reason: "no GPU was found" };
  const info = adapter.info ?? {};
  const words = [info.vendor, info.architecture, info.device, info.description].filter(Boolean);
  const fallback = info.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
  return {
    name: info.description || words.slice(0, 2).join(" ") || "GPU",
    software: fallback || SOFTWARE.test(words.join(" ")),
  };
}
