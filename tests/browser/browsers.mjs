// The browsers that the tests drive.

import { chromium } from "playwright-core";

const QUIET = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
];
/** WebGPU in software. */
const SWIFTSHADER = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

/** Debian's Chromium, or the one that `CHROMIUM` names. */
export function launchChromium({ webgpu = false } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: webgpu ? [...QUIET, ...SWIFTSHADER] : QUIET,
  });
}

/** What the browser itself says, whatever a script does. */
const OWN = /^Failed to load resource|^No available adapters/;

/**
 * A page in a context of its own, with nothing kept. Whatever reaches its console or is thrown past all handlers is in
 * `problems`.
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !OWN.test(message.text())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(`uncaught: ${error}`));
  await page.goto(url);
  return { context, page, problems };
}
