import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, serve } from "./chromium.js";
import { BUILT, buildWithFake } from "./fake/build.js";
import { assertSmooth, watchTasks } from "./tasks.js";

let browser, server, context, page, errors;

before(async () => {
  await buildWithFake();
  [browser, server] = await Promise.all([launch(), serve(BUILT)]);
});
after(async () => {
  await browser?.close();
  await server?.close();
});
beforeEach(() => open());
afterEach(async () => {
  await context.close();
  assert.deepEqual(errors, []);
});

/** Opens the page, once the stand-in is told how to behave. */
async function open({ fake = {}, ready = true, ...options } = {}) {
  await context?.close();
  context = await browser.newContext({ serviceWorkers: "block", ...options });
  page = await context.newPage();
  page.setDefaultTimeout(8000);
  errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    const ours = message.type() === "error" || /Content Security Policy/i.test(message.text());
    if (ours && !/Failed to load resource/.test(message.text())) errors.push(message.text());
  });
  await page.addInitScript((fake) => (globalThis.fake = fake), fake);
  await page.goto(server.url);
  if (ready) await page.getByText("is ready").waitFor();
}

/** Writes a text in place of the one that is there, and waits until it has been read. */
async function write(text) {
  await page.fill("#text", text);
  await settled();
}
/** Waits until what is drawn is what was read. */
async function settled() {
  await page.waitForTimeout(150);
  await page.waitForFunction(() => !document.querySelector("#time").textContent.startsWith("reading"));
  await page.evaluate(() => document.querySelector("innerspan-text").updateComplete);
}
const marks = () => page.$$eval("#view mark", (all) => all.map((mark) => `${mark.dataset.label}=${mark.textContent}`));
const legend = () => page.$$eval("#legend button", (all) => all.map((button) => button.textContent));
const fake = () => page.evaluate(() => globalThis.fake);
const slide = (value) =>
  page.$eval(
    "#threshold",
    (input, value) => {
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    },
    value,
  );

test("it opens with a text and shows what is in it, inside each other", async () => {
  await settled();
  assert.match(await page.inputValue("#text"), /Maren Tóth/);
  assert.ok((await page.$$("#view mark mark")).length + (await page.$$("#view mark")).length > 2);
  assert.equal(await page.textContent("#device"), "CPU (fake): no GPU was found");
  assert.equal(await page.textContent("#loaded"), "3.0 MB loaded");
  assert.match(await page.textContent("#time"), /^\d+ sentences? read in \d+ ms$/);
});

test("entities appear while typing, nested ones inside each other", async () => {
  await write("");
  assert.deepEqual(await marks(), []);
  await page.locator("#text").pressSequentially("The seal of the Grey Petrel. ");
  await settled();
  assert.deepEqual(await marks(), ["PART=seal of the Grey Petrel", "SHIP=Grey Petrel"]);
  assert.equal(await page.textContent("#summary"), "2 entities");
});

test("while a sentence is being read, another key stops it, and the others are not read again", async () => {
  await write("Maren came. Otto went. ");
  await page.evaluate(() => Object.assign(globalThis.fake, { delay: 400, calls: [] }));
  await page.locator("#text").press("End");
  await page.locator("#text").pressSequentially("So maybe", { delay: 120 });
  const { calls, aborted } = await fake();
  assert.ok(aborted >= 3, `stopped ${aborted} times`);
  assert.ok(
    calls.flat().every((text) => "So maybe".startsWith(text)),
    JSON.stringify(calls),
  );
  assert.deepEqual(await marks(), ["PERSON=Maren", "PERSON=Otto"], "what is known stays in sight meanwhile");
});

test("what moves while typing before it stays marked at its new place", async () => {
  await write("Otto went.");
  await page.evaluate(() => (globalThis.fake.delay = 5000));
  await page.locator("#text").press("Home");
  await page.locator("#text").pressSequentially("So ");
  assert.deepEqual(await marks(), ["PERSON=Otto"]);
  assert.equal(await page.textContent("#view"), "So Otto went.");
});

test("the threshold acts at once, without another reading", async () => {
  await write("Maren and maybe the seal of the Grey Petrel.");
  const before = (await fake()).calls.length;
  for (const [value, expected] of [
    [10, ["PERSON=Maren", "PERSON=maybe", "PART=seal of the Grey Petrel", "SHIP=Grey Petrel"]],
    [95, ["SHIP=Grey Petrel"]],
    [80, ["PART=seal of the Grey Petrel", "SHIP=Grey Petrel"]],
  ]) {
    await slide(value);
    assert.deepEqual(await marks(), expected);
  }
  assert.equal((await fake()).calls.length, before);
  assert.deepEqual(await legend(), ["PART1", "PERSON0", "SHIP1"]);
  assert.match(await page.textContent(".threshold"), /at least 80\u00a0% sure/);
});

test("the threshold can be moved by keyboard", async () => {
  await write("Maren");
  await page.focus("#threshold");
  for (let press = 0; press < 25; press++) await page.keyboard.press("ArrowRight");
  assert.equal(await page.inputValue("#threshold"), "75");
  assert.deepEqual(await marks(), []);
});

test("the legend counts, and hides and shows types", async () => {
  await write("Maren and the seal of the Grey Petrel.");
  assert.deepEqual(await legend(), ["PART1", "PERSON1", "SHIP1"]);
  await page.getByRole("button", { name: "PART" }).click();
  assert.deepEqual(await marks(), ["PERSON=Maren", "SHIP=Grey Petrel"]);
  assert.equal(await page.getByRole("button", { name: "PART" }).getAttribute("aria-pressed"), "false");
  assert.equal(await page.textContent("#summary"), "2 entities");
  await page.getByRole("button", { name: "PART" }).press("Enter");
  assert.equal((await marks()).length, 3);
});

test("what is seen is copied as JSON, with offsets into the whole text", async () => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const text = "It was late. 🚢 Maren saw the Grey Petrel.";
  await write(text);
  await page.getByRole("button", { name: "SHIP" }).click();
  await page.click("#copy");
  await page.getByText("Copied").waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual(copied, [{ start: 16, end: 21, text: "Maren", label: "PERSON", score: 0.7 }]);
  assert.equal(text.slice(16, 21), "Maren");
});

test("markup in the text stays text", async () => {
  const text = "<img src=x onerror=alert(1)> Maren <b>Otto</b>";
  await write(text);
  assert.equal(await page.textContent("#view"), text);
  assert.deepEqual(await marks(), ["PERSON=Maren", "PERSON=Otto"]);
});

test("choosing an entity selects it in the text", async () => {
  await write("It was late. Maren came.");
  await page.click("#view mark");
  const selected = await page.$eval("#text", (area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.equal(selected, "Maren");
});

test("another model is loaded with the weights and examples that suit it, and the last one is let go", async () => {
  await page.selectOption("#model", "Other");
  await page.getByText("Other is ready").waitFor();
  await settled();
  assert.match(await page.inputValue("#text"), /NF-kappa B/);
  await page.selectOption("#precision", "f32");
  await page.waitForFunction(() => globalThis.fake.disposed === 2);
  const { loads } = await fake();
  assert.deepEqual(
    loads.map(({ source, precision }) => `${source} ${precision}`),
    ["./models/demo/ f32", "./models/other/ q8", "./models/other/ f32"],
  );
});

test("one's own text outlives another model", async () => {
  await write("Maren came.");
  await page.selectOption("#model", "Other");
  await page.getByText("Other is ready").waitFor();
  await settled();
  assert.equal(await page.inputValue("#text"), "Maren came.");
  assert.deepEqual(await marks(), ["PERSON=Maren"]);
});

/** A folder on disk as `innerspan train` writes it. */
async function modelFolder(t, files = ["config.json", "tokenizer.json", "model.safetensors", "README.md"]) {
  const parent = await mkdtemp(join(tmpdir(), "innerspan-"));
  t.after(() => rm(parent, { recursive: true }));
  const folder = join(parent, "my-model");
  await mkdir(join(folder, "checkpoint"), { recursive: true });
  for (const name of files) await writeFile(join(folder, name), "x");
  await writeFile(join(folder, "checkpoint", "config.json"), "x");
  return folder;
}

test("a folder that is chosen is loaded", async (t) => {
  await page.setInputFiles("#folder", await modelFolder(t));
  await page.getByText("my-model is ready").waitFor();
  assert.deepEqual((await fake()).loads.at(-1), {
    source: ["config.json", "model.safetensors", "tokenizer.json"],
    precision: "f32",
    device: "auto",
  });
  assert.equal(await page.$eval("#model", (list) => list.selectedOptions[0].text), "my-model");
});

test("a folder without a model is refused with what to do, and the old model stays", async (t) => {
  const folder = await modelFolder(t, ["README.md"]);
  await rm(join(folder, "checkpoint"), { recursive: true });
  await page.setInputFiles("#folder", folder);
  assert.match(await page.textContent("#problem"), /no config\.json.*innerspan train/);
  await write("Maren");
  assert.deepEqual(await marks(), ["PERSON=Maren"]);
});

/** Drops files from the desktop, as the browser itself would. */
async function drop(...files) {
  const session = await context.newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await session.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
    if (type === "dragOver") assert.ok(await page.isVisible("#drop"), "it shows that it takes them");
  }
  assert.equal(await page.isVisible("#drop"), false);
}

test("a folder that is dropped is loaded", async (t) => {
  await drop(await modelFolder(t));
  await page.getByText("my-model is ready").waitFor();
  assert.deepEqual((await fake()).loads.at(-1).source, ["config.json", "model.safetensors", "tokenizer.json"]);
});

test("a text file that is dropped is read; one that is no text is refused", async (t) => {
  const folder = await modelFolder(t);
  await writeFile(join(folder, "letter.txt"), "Dear Otto,");
  await drop(join(folder, "letter.txt"));
  await settled();
  assert.deepEqual(await marks(), ["PERSON=Otto"]);
  await writeFile(join(folder, "photo.jpg"), new Uint8Array([0xff, 0xd8, 0xff]));
  await drop(join(folder, "photo.jpg"));
  await page.getByText("photo.jpg is not a text").waitFor();
});

test("a model that cannot be loaded is explained, and can be tried again", async () => {
  await open({ fake: { loadError: "network" }, ready: false });
  await page.getByText("The model could not be downloaded").waitFor();
  assert.match(await page.textContent("#problem"), /details of the problem/);
  assert.equal(await page.isVisible("#progress"), false);
  await page.evaluate(() => delete globalThis.fake.loadError);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("is ready").waitFor();
  await settled();
  assert.equal(await page.isVisible("#problem"), false);
});

test("the model in use stays in use when another cannot be loaded", async () => {
  await page.evaluate(() => (globalThis.fake.loadError = "file"));
  await page.selectOption("#model", "Other");
  await page.getByText("This model cannot be used").waitFor();
  assert.equal(await page.$eval("#model", (list) => list.selectedOptions[0].text), "Harbour");
  assert.equal(await page.textContent("#status"), "Harbour is ready");
  await write("Maren");
  assert.deepEqual(await marks(), ["PERSON=Maren"]);
});

test("a text that cannot be read is explained, and typing goes on", async () => {
  await page.evaluate(() => (globalThis.fake.extractError = "memory"));
  await page.fill("#text", "Maren");
  await page.getByText("There is not enough memory").waitFor();
  await page.evaluate(() => delete globalThis.fake.extractError);
  await write("Maren and Otto");
  assert.deepEqual(await marks(), ["PERSON=Maren", "PERSON=Otto"]);
  assert.equal(await page.isVisible("#problem"), false);
});

test("without any model it says how to get one", async () => {
  await context.route("**/models/index.json", (route) => route.fulfill({ status: 404, body: "" }));
  await page.reload();
  await page.getByText("There is no model beside this page").waitFor();
});

test("progress is shown while a model loads, and a change of mind stops it", async () => {
  await open({ fake: { stallsAt: 1e6 }, ready: false });
  await page.getByText("1.0 MB of 3.0 MB loaded").waitFor();
  assert.ok(await page.isVisible("#progress"));
  await page.selectOption("#model", "Other");
  await page.getByText("Other is ready").waitFor();
  assert.equal((await fake()).aborted, 1);
});

test("the colours follow the system until the button says otherwise, and then stay", async () => {
  const background = () => page.$eval("html", (root) => getComputedStyle(root).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  const light = await background();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await background();
  assert.notEqual(light, dark);
  await page.getByRole("button", { name: "Dark colours", pressed: true }).click();
  assert.equal(await background(), light);
  await page.reload();
  assert.equal(await background(), light);
});

for (const [name, options] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
})) {
  test(`axe finds nothing to complain about (${name})`, async () => {
    await open({ ...options, bypassCSP: true });
    await settled();
    await page.addScriptTag({ path: `${import.meta.dirname}/node_modules/axe-core/axe.min.js` });
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`),
      [],
    );
  });
}

test("on a phone nothing is wider than the screen, and what is pressed is large enough", async () => {
  await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await settled();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  const small = await page.$$eval("button, select", (all) =>
    all.filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 32).map((one) => one.outerHTML),
  );
  assert.deepEqual(small, []);
});

test("everything can be reached by keyboard, in an order that makes sense", async () => {
  await settled();
  const stops = [];
  for (let press = 0; press < 16; press++) {
    await page.keyboard.press("Tab");
    stops.push(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent));
  }
  const expected = ["theme", "model", "open", "Log entry", "Letter", "Whole logbook", "text", "threshold", "copy"];
  assert.deepEqual(stops.slice(0, 9), expected);
  assert.equal(stops.at(12).includes("PERSON"), false);
  assert.ok(
    stops.some((stop) => stop === "Maren"),
    `an entity is reached: ${stops.join(", ")}`,
  );
});

/** 50,000 characters and 3,600 entities. */
function article() {
  const sentence = "Maren saw the seal of the Grey Petrel, maybe, and Otto the pump of the Grey Petrel number ";
  return Array.from({ length: 521 }, (_, at) => `${sentence}${at}.${at % 7 ? " " : "\n\n"}`).join("");
}

/** Pastes, filters, types in and scrolls through an article; the longest tasks meanwhile. */
async function useArticle() {
  await open({ fake: { delay: 4 } });
  await settled();
  const longest = {};
  const measure = async (what, act) => {
    const stop = await watchTasks(browser);
    await act();
    await settled();
    longest[what] = await stop();
  };

  const text = article();
  assert.ok(text.length > 48_000);
  await page.evaluate((text) => (window.pasted = text), text);
  await measure("pasted", async () => {
    await page.evaluate(() => {
      const area = document.querySelector("#text");
      area.value = window.pasted;
      area.dispatchEvent(new Event("input", { bubbles: true }));
    });
    const done = () => /^521 sentences/.test(document.querySelector("#time").textContent);
    await page.waitForFunction(done, null, { timeout: 30_000 });
  });
  assert.equal((await marks()).length, 521 * 6);

  await measure("filtered", async () => {
    await slide(95);
    await settled();
    await slide(10);
  });
  assert.equal((await marks()).length, 521 * 7);

  await page.$eval("#text", (area) => area.setSelectionRange(25_000, 25_000));
  await measure("typed", () => page.locator("#text").pressSequentially("Otto maybe", { delay: 80 }));

  await measure("scrolled", async () => {
    for (let at = 0; at < 10; at++) {
      await page.$eval("#scroll", (scroller) => scroller.scrollBy(0, 2500));
      await page.waitForTimeout(60);
    }
  });
  const same = () => document.querySelector("#view").textContent === document.querySelector("#text").value;
  assert.ok(await page.evaluate(same));
  return longest;
}

test("a whole article never blocks the page for 50 ms: not when pasted, filtered, typed in or scrolled", (t) =>
  assertSmooth(t, useArticle));
