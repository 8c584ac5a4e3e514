import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import fc from "fast-check";
import { annotated } from "./arbitrary.js";
import { ROOT, launch, serve } from "./chromium.js";
import { assertSmooth, watchTasks } from "./tasks.js";

let browser, server, page, errors;

before(async () => {
  [browser, server] = await Promise.all([launch(), serve(ROOT)]);
});
after(async () => {
  await browser.close();
  await server.close();
});
beforeEach(async () => {
  page = await browser.newPage();
  page.setDefaultTimeout(5000);
  errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${server.url}/tests/page/blank.html`);
  await page.waitForSelector("html[data-ready]", { state: "attached" });
});
afterEach(async () => {
  await page.close();
  assert.deepEqual(errors, []);
});

/** Puts an element with these properties into the page, and gives its HTML when it is drawn. */
const show = (properties, html = "<innerspan-text></innerspan-text>") =>
  page.evaluate(
    async ([properties, html]) => {
      document.querySelector("main").innerHTML = html;
      const element = document.querySelector("innerspan-text");
      Object.assign(element, properties);
      await element.updateComplete;
      return element.innerHTML;
    },
    [properties, html],
  );
const marks = () =>
  page.$$eval("innerspan-text mark", (all) => all.map((mark) => `${mark.dataset.label}=${mark.textContent}`));

const ENTITIES = [
  { start: 0, end: 6, text: "Maren\n", label: "A", score: 0.9 },
  { start: 7, end: 8, text: "b", label: "B", score: 0.4 },
];

test("it draws its text and entities, and again whatever changes", async () => {
  await show({ text: "Maren\n b <i>", entities: ENTITIES });
  assert.deepEqual(await marks(), ["A=Maren\n", "B=b"]);
  await page.evaluate(() => (document.querySelector("innerspan-text").threshold = 0.5));
  assert.deepEqual(await marks(), ["A=Maren\n"]);
  await page.evaluate(() =>
    Object.assign(document.querySelector("innerspan-text"), { threshold: 0, hiddenLabels: ["A"] }),
  );
  assert.deepEqual(await marks(), ["B=b"]);
  assert.equal(await page.$eval("innerspan-text", ({ textContent }) => textContent), "Maren\n b <i>");
});

test("attributes do what properties do, and mirror them", async () => {
  await show(
    {},
    `<innerspan-text threshold="0.5" labels='["B","A"]' entities='${JSON.stringify(ENTITIES)}'>Maren\n b</innerspan-text>`,
  );
  assert.deepEqual(await marks(), ["A=Maren\n"]);
  const mirrored = await page.$eval("innerspan-text", (element) => {
    element.hiddenLabels = new Set(["A"]);
    element.threshold = 0.25;
    return [element.getAttribute("hidden-labels"), element.getAttribute("threshold"), element.labels, element.hidden];
  });
  assert.deepEqual(mirrored, ['["A"]', "0.25", ["B", "A"], false]);
  assert.deepEqual(await marks(), ["B=b"]);
  assert.equal(await page.$eval("innerspan-text mark", (mark) => mark.dataset.slot), "0");
});

test("its text content is its text, whatever was there before", async () => {
  await show({});
  await fc.assert(
    fc.asyncProperty(annotated, async ({ text, entities }) => {
      const seen = await page.evaluate(
        async ([text, entities]) => {
          const element = document.querySelector("innerspan-text");
          Object.assign(element, { text, entities });
          await Promise.resolve();
          const atOnce = element.textContent;
          await element.updateComplete;
          return [atOnce, element.textContent];
        },
        [text, entities],
      );
      assert.deepEqual(seen, [text, text]);
    }),
    { numRuns: 200 },
  );
});

test("paragraphs that are not edited keep their elements and the entities in them know their new place", async () => {
  const result = await page.evaluate(async () => {
    const element = document.querySelector("main").appendChild(document.createElement("innerspan-text"));
    const entity = (start, end) => ({ start, end, label: "A", score: 1 });
    Object.assign(element, { text: "one\ntwo\nthree", entities: [entity(0, 3), entity(8, 13)] });
    await element.updateComplete;
    const [first, , last] = element.children;
    const mark = last.querySelector("mark");
    Object.assign(element, { text: "one\ntwo and a half\nthree", entities: [entity(0, 3), entity(19, 24)] });
    await element.updateComplete;
    let start;
    element.addEventListener("entityselect", (event) => (start = event.detail.entity.start));
    element.querySelectorAll("mark")[1].click();
    return [
      element.children[0] === first,
      element.children[2] === last,
      element.querySelectorAll("mark")[1] === mark,
      start,
    ];
  });
  assert.deepEqual(result, [true, true, true, 19]);
});

test("arrow keys go from paragraph to paragraph, and only one entity is a stop of the tab key", async () => {
  await show({
    text: "one\ntwo",
    entities: [
      { start: 0, end: 3, label: "A", score: 1 },
      { start: 4, end: 7, label: "B", score: 1 },
    ],
  });
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "two");
  assert.equal(await page.$$eval("[tabindex='0']", (all) => all.length), 1);
});

test("copying gives the characters of the text and no more", async () => {
  const text = "Maren\n\n b <i>\nlast";
  await show({ text, entities: ENTITIES });
  const copied = await page.evaluate(() => {
    getSelection().selectAllChildren(document.querySelector("innerspan-text"));
    const event = new ClipboardEvent("copy", { bubbles: true, cancelable: true, clipboardData: new DataTransfer() });
    document.querySelector("innerspan-text").dispatchEvent(event);
    return event.clipboardData.getData("text/plain");
  });
  assert.equal(copied, text);
});

test("server-rendered content and a text between the tags are taken over", async () => {
  const html = await page.evaluate(() => window.highlightHtml("a <b>", [{ start: 0, end: 1, label: "A", score: 1 }]));
  await show({ entities: [{ start: 2, end: 5, label: "B", score: 1 }] }, `<innerspan-text>${html}</innerspan-text>`);
  assert.deepEqual(await marks(), ["B=<b>"]);
});

/** Draws a long text, and again when it is half done; how long the longest task was. */
async function drawLongText() {
  const stop = await watchTasks(browser);
  const result = await page.evaluate(async () => {
    const line = "The seal of the pump of the Grey Petrel broke. ";
    const text = Array.from({ length: 1064 }, (_, at) => (at % 8 === 7 ? `${line.trim()}\n` : line)).join("");
    const spans = [
      [4, 45, "FAULT"],
      [4, 39, "PART"],
      [16, 39, "PART"],
      [28, 39, "SHIP"],
      [40, 45, "X"],
    ];
    const entities = Array.from({ length: 1064 }, (_, at) =>
      spans.map(([start, end, label], n) => {
        return { start: 47 * at + start, end: 47 * at + end, label, score: (n + (at % 10)) / 14 };
      }),
    ).flat();
    const element = document.querySelector("main").appendChild(document.createElement("innerspan-text"));
    await new Promise((resolve) => setTimeout(resolve));
    Object.assign(element, { text, entities });
    await new Promise((resolve) => setTimeout(resolve, 20));
    element.threshold = 0.5;
    await element.updateComplete;
    await new Promise((resolve) => setTimeout(resolve));
    const drawn = element.querySelectorAll("mark:not([data-continued])").length;
    const expected = entities.filter(({ score }) => score >= 0.5).length;
    const same = element.textContent === text;
    element.remove();
    return { drawn, expected, same };
  });
  const longest = await stop();
  assert.ok(result.same);
  assert.equal(result.drawn, result.expected);
  return { drawn: longest };
}

test("of a long text only the latest threshold is drawn, in slices", (t) => assertSmooth(t, drawLongText));
