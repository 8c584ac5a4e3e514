// The page in Firefox: what differs between browsers, not everything again.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { serve } from "./chromium.js";
import { BUILT, buildWithFake } from "./fake/build.js";

const executablePath = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
const skip = !existsSync(executablePath) && `${executablePath} is missing`;

let browser, server, page;
const errors = [];

before(async () => {
  if (skip) return;
  await buildWithFake();
  server = await serve(BUILT);
  browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
  page = await browser.newPage();
  page.on("pageerror", (error) => errors.push(error.message));
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(server.url);
  await page.waitForFunction(() => document.querySelector("#status").textContent.endsWith("is ready"));
});
after(async () => {
  await browser?.close();
  await server?.close();
});

test("Firefox: typing, filtering, keyboard and tooltip work", { skip }, async () => {
  await page.$eval("#text", (area) => area.select());
  await page.type("#text", "Maren saw the seal of the Grey Petrel.");
  await page.waitForFunction(() => document.querySelectorAll("#view mark").length === 3);
  assert.equal(await page.$eval("#view", ({ textContent }) => textContent), "Maren saw the seal of the Grey Petrel.");

  await page.focus("#view mark[tabindex='0']");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const tooltip = await page.$eval(".innerspan-tooltip", (element) => [element.innerText, element.checkVisibility()]);
  assert.deepEqual(tooltip, ["SHIP\n99\u00a0%\nin PART\n90\u00a0%", true]);

  await page.$eval("#threshold", (input) => {
    input.value = 95;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await page.waitForFunction(() => document.querySelectorAll("#view mark").length === 1);
  const chip = await page.$eval("#view mark", (mark) => getComputedStyle(mark, "::after").content);
  assert.match(chip, /data-label|SHIP/);
  const selected = await page.evaluate(() => {
    getSelection().selectAllChildren(document.querySelector("#view"));
    return getSelection().toString();
  });
  assert.equal(selected.trim(), "Maren saw the seal of the Grey Petrel.");
  assert.deepEqual(errors, []);
});
