// A server, a browser and pages with the package in them: what most tests begin with.

import { after, before } from "node:test";
import { join } from "node:path";
import { launchChromium, openPage } from "./browsers.mjs";
import { MODELS, modelFolder, root } from "./models.mjs";
import { serve } from "./server.mjs";

export const TEXT = "The harbour master of Port Alder inspected the starboard engine of the Grey Petrel.";

/**
 * Sets up for the tests of a file.
 * @param {{ webgpu?: boolean, launch?: () => Promise<any> }} [options]
 */
export function lab({ webgpu = false } = {}) {
  const lab = {
    /** @type {Awaited<ReturnType<typeof serve>>} */
    server: undefined,
    /** @type {import("playwright-core").Browser} */
    browser: undefined,
    /** A page with `innerspan`, `worker` and `outcome` in it. */
    async page(options) {
      const opened = await openPage(lab.browser, `${lab.server.origin}/page.html`, options);
      await prepare(opened.page);
      return opened;
    },
  };
  before(async () => {
    lab.server = await serve({
      "/package/": join(root, "wasm", "dist"),
      "/model/": modelFolder(),
      ...Object.fromEntries(MODELS.map(([name]) => [`/${name}/`, modelFolder(name)])),
    });
    lab.browser = await launchChromium({ webgpu });
  });
  after(async () => {
    await lab.browser?.close();
    await lab.server?.close();
  });
  return lab;
}

/** Puts the package into a page, and `outcome`, which tells how a promise ended. */
export async function prepare(page) {
  await page.evaluate(async () => {
    window.innerspan = await import("/package/index.js");
    window.worker = await import("/package/worker.js");
    window.outcome = async (promise) => {
      try {
        return { value: await promise };
      } catch (error) {
        return {
          name: error.name,
          code: error.code,
          message: error.message,
          ours: error instanceof innerspan.InnerspanError,
        };
      }
    };
  });
}
