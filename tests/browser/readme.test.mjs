// The page in README.md, word for word, beside the package and a model.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { launchChromium, openPage } from "./browsers.mjs";
import { modelFolder, root } from "./models.mjs";
import { serve } from "./server.mjs";

test("the page of the README highlights its text", async (t) => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, html] = /<!-- run: page -->\n```html\n([^]*?)```/.exec(readme);
  const site = mkdtempSync(join(tmpdir(), "innerspan-readme-"));
  t.after(() => rmSync(site, { recursive: true, force: true }));
  writeFileSync(join(site, "index.html"), html);
  cpSync(join(root, "wasm", "dist"), join(site, "innerspan"), { recursive: true });
  cpSync(modelFolder(), join(site, "model"), { recursive: true });
  const server = await serve({ "/": `${site}/` });
  t.after(() => server.close());
  const browser = await launchChromium();
  t.after(() => browser.close());

  const { page, problems } = await openPage(browser, `${server.origin}/index.html`);
  const ship = page.getByText("Grey Petrel").last();
  await ship.waitFor();
  const labels = () => page.locator("#text [data-label]").evaluateAll((all) => all.map((one) => one.dataset.label));
  await page.waitForFunction(() => document.querySelector("#text [data-label]"));
  assert.ok((await labels()).includes("SHIP"), String(await labels()));
  assert.deepEqual(problems, []);
});
