import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import fc from "fast-check";
import { annotated } from "./arbitrary.js";
import { ROOT, launch, serve } from "./chromium.js";

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
  await page.waitForSelector("html[data-ready]", { state: "attached", timeout: 5000 });
});
afterEach(async () => {
  await page.close();
  assert.deepEqual(errors, []);
});

const TEXT = "The worn brake lining of the net winch of the Estrela do Sul was noticed too late.";
const entity = (text, label, score) => {
  const start = TEXT.indexOf(text);
  return { start, end: start + text.length, text, label, score };
};
const FAULT = entity("worn brake lining of the net winch of the Estrela do Sul", "FAULT", 0.91);
const PART = entity("brake lining of the net winch of the Estrela do Sul", "PART", 0.953);
const WINCH = entity("net winch of the Estrela do Sul", "PART", 0.97);
const SHIP = entity("Estrela do Sul", "SHIP", 0.99);
const NESTED = [FAULT, PART, WINCH, SHIP];

/** Draws into `#text`. */
const draw = (entities, options = {}) =>
  page.evaluate(
    ([text, entities, options]) => window.highlight(document.querySelector("#text"), entities, { text, ...options }),
    [TEXT, entities, options],
  );
const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));

test("the text content of what is drawn is the text, and nothing in it becomes markup", async () => {
  await fc.assert(
    fc.asyncProperty(annotated, async ({ text, entities }) => {
      const seen = await page.evaluate(
        ([text, entities]) => {
          const element = document.querySelector("#text");
          window.highlight(element, entities, { text });
          const server = document.createElement("div");
          server.innerHTML = window.highlightHtml(text, entities);
          const names = new Set([...document.querySelectorAll("#text *")].map(({ localName }) => localName));
          for (const mark of server.querySelectorAll("mark")) mark.removeAttribute("title");
          for (const mark of [...server.querySelectorAll("mark"), ...element.querySelectorAll("mark")]) {
            mark.removeAttribute("tabindex");
          }
          const same = element.innerHTML === server.innerHTML;
          return { text: element.textContent, server: server.textContent, names: [...names], same };
        },
        [text, entities],
      );
      assert.equal(seen.text, text);
      assert.equal(seen.server, text);
      assert.ok(
        seen.names.every((name) => name === "mark"),
        seen.names.join(),
      );
      assert.ok(seen.same, "a document and a string hold the same elements");
    }),
    { numRuns: 300 },
  );
});

test("drawing again, whatever was there before, gives what drawing at once gives", async () => {
  await fc.assert(
    fc.asyncProperty(annotated, annotated, fc.nat(40), async (one, other, at) => {
      // the second text shares a beginning and an end with the first, as typing does
      const text = one.text.slice(0, at) + other.text + one.text.slice(at);
      const [again, once] = await page.evaluate(
        ([one, text, entities]) => {
          const drawn = document.createElement("p");
          const fresh = document.createElement("p");
          const labels = ["PART", "SHIP"];
          window.highlight(drawn, one.entities, { text: one.text, labels });
          window.highlight(drawn, entities, { text, labels });
          window.highlight(fresh, entities, { text, labels });
          // the tab stop stays where it was, so long as there is one
          const html = (element) => {
            const stops = element.querySelectorAll("[tabindex='0']").length;
            for (const mark of element.querySelectorAll("mark")) mark.removeAttribute("tabindex");
            return `${element.innerHTML} ${stops}`;
          };
          return [html(drawn), html(fresh)];
        },
        [one, text, [...one.entities, ...other.entities]],
      );
      assert.equal(again, once);
    }),
    { numRuns: 200 },
  );
});

test("what has not changed keeps its nodes", async () => {
  const kept = await page.evaluate(() => {
    const element = document.querySelector("#text");
    const entities = (shift) => [
      { start: 0, end: 2, label: "A", score: 1 },
      { start: 6 + shift, end: 8 + shift, label: "B", score: 1 },
    ];
    window.highlight(element, entities(0), { text: "aa xx bb" });
    const [a, b] = element.querySelectorAll("mark");
    window.highlight(element, entities(3), { text: "aa xx yy bb" });
    const [a2, b2] = element.querySelectorAll("mark");
    let selected;
    element.addEventListener("entityselect", (event) => (selected = event.detail.entity.start));
    b2.click();
    return { a: a === a2, b: b === b2, selected };
  });
  assert.deepEqual(kept, { a: true, b: true, selected: 9 });
});

test("without a text given, the element's own text is drawn, twice too", async () => {
  const html = await page.evaluate(() => {
    const element = document.querySelector("#text");
    element.textContent = "a <b> c";
    window.highlight(element, [{ start: 2, end: 5, label: "TAG", score: 0.5 }]);
    window.highlight(element, [{ start: 2, end: 5, label: "TAG", score: 0.5 }]);
    return element.textContent + element.querySelector("mark").textContent;
  });
  assert.equal(html, "a <b> c<b>");
});

test("entities below the threshold and of hidden types are not drawn; colours stay", async () => {
  const drawn = () =>
    page.$$eval("#text mark", (marks) => marks.map((mark) => `${mark.dataset.label} ${mark.dataset.slot}`));
  await draw(NESTED);
  assert.deepEqual(await drawn(), ["FAULT 0", "PART 1", "PART 1", "SHIP 2"]);
  await draw(NESTED, { threshold: 0.96, hidden: ["FAULT"] });
  assert.deepEqual(await drawn(), ["PART 1", "SHIP 2"]);
  await draw(NESTED, { labels: ["SHIP", "PART", "FAULT"] });
  assert.deepEqual(await drawn(), ["FAULT 2", "PART 1", "PART 1", "SHIP 0"]);
});

test("the keyboard goes through the entities, in and out, with one stop of the tab key", async () => {
  await draw([...NESTED, entity("too late", "TIME", 0.5)]);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "FAULT, 91\u00a0%");
  for (const [key, name] of [
    ["ArrowDown", "PART, 95\u00a0%"],
    ["ArrowRight", "PART, 97\u00a0%"],
    ["ArrowRight", "SHIP, 99\u00a0%"],
    ["ArrowDown", "SHIP, 99\u00a0%"],
    ["ArrowRight", "TIME, 50\u00a0%"],
    ["ArrowRight", "TIME, 50\u00a0%"],
    ["ArrowLeft", "SHIP, 99\u00a0%"],
    ["ArrowUp", "PART, 97\u00a0%"],
    ["End", "TIME, 50\u00a0%"],
    ["Home", "FAULT, 91\u00a0%"],
  ]) {
    await page.keyboard.press(key);
    assert.equal(await focused(), name, key);
  }
  assert.equal(await page.$$eval("#text [tabindex='0']", (marks) => marks.length), 1);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), null, "the next tab leaves the text");
});

test("focus shows type and score, also of the entities around; Escape hides them", async () => {
  await draw(NESTED);
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  const tooltip = page.locator(".innerspan-tooltip");
  assert.equal(await tooltip.innerText(), "PART\n95\u00a0%\nin FAULT\n91\u00a0%");
  await page.keyboard.press("Escape");
  assert.equal(await tooltip.isVisible(), false);
});

test("hovering shows the innermost entity, and leaving hides it", async () => {
  await draw(NESTED);
  await page.hover("#text mark[data-label=SHIP]");
  const tooltip = page.locator(".innerspan-tooltip");
  await tooltip.waitFor();
  assert.match(await tooltip.innerText(), /^SHIP\n99\u00a0%\nin PART/);
  assert.deepEqual(await page.$$eval("[data-active]", (marks) => marks.map((mark) => mark.dataset.label)), ["SHIP"]);
  const box = await tooltip.boundingBox();
  assert.ok(box.x >= 0 && box.y >= 0, "inside the window");
  await page.mouse.move(5, 500);
  await tooltip.waitFor({ state: "hidden" });
});

test("all parts of a crossing entity light up together, and it is one stop", async () => {
  await draw([entity("brake lining of", "A", 1), entity("lining of the net", "B", 1)]);
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  assert.equal(
    await page.$$eval("[data-active]", (marks) => marks.map((mark) => mark.textContent).join("|")),
    "lining of| the net",
  );
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "B, 100\u00a0%");
});

test("drawing again keeps the focus on the entity, or gives it to the nearest", async () => {
  await draw(NESTED);
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await draw(NESTED.map((one) => ({ ...one, score: 0.5 })));
  assert.equal(await focused(), "PART, 50\u00a0%");
  await draw([SHIP, { ...FAULT, score: 0.6 }]);
  assert.equal(await focused(), "FAULT, 60\u00a0%");
});

test("what is selected and copied has no chips in it", async () => {
  await draw(NESTED);
  const selected = await page.evaluate(() => {
    getSelection().selectAllChildren(document.querySelector("#text"));
    return getSelection().toString();
  });
  assert.equal(selected, TEXT);
});

test("a screen reader hears entities as named groups inside each other, and the text", async () => {
  await draw(NESTED);
  const snapshot = await page.locator("#text").ariaSnapshot();
  assert.equal(
    snapshot,
    `- paragraph:
  - text: The
  - group "FAULT, 91 %":
    - text: worn
    - group "PART, 95 %":
      - text: brake lining of the
      - group "PART, 97 %":
        - text: net winch of the
        - group "SHIP, 99 %": Estrela do Sul
  - text: was noticed too late.`,
  );
});

test("axe finds nothing to complain about", async () => {
  await draw(NESTED);
  await page.addScriptTag({ path: `${import.meta.dirname}/node_modules/axe-core/axe.min.js` });
  const { violations } = await page.evaluate(() => window.axe.run("main"));
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`),
    [],
  );
});

/** Contrast as WCAG 2 defines it, of colours that the browser has painted. */
const contrasts = () =>
  page.evaluate(() => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const luminance = (colour) => {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
      const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
      return (light + 0.05) / (dark + 0.05);
    };
    return [...document.querySelectorAll("#text mark")].map((mark) => {
      const { backgroundColor, color } = getComputedStyle(mark);
      const chip = getComputedStyle(mark, "::after").color;
      return { chip: contrast(chip, backgroundColor), text: contrast(color, backgroundColor), backgroundColor };
    });
  });

for (const colorScheme of ["light", "dark"]) {
  test(`chips and text can be read on every colour in ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => {
      const entities = Array.from({ length: 10 }, (_, at) => ({ start: at, end: at + 1, label: `L${at}`, score: 1 }));
      window.highlight(document.querySelector("#text"), entities, { text: "abcdefghij" });
    });
    const measured = await contrasts();
    assert.equal(new Set(measured.map(({ backgroundColor }) => backgroundColor)).size, 10, "ten different colours");
    for (const { chip, text, backgroundColor } of measured) {
      assert.ok(chip >= 4.5, `chip on ${backgroundColor}: ${chip.toFixed(2)}`);
      assert.ok(text >= 7, `text on ${backgroundColor}: ${text.toFixed(2)}`);
    }
  });
}

test("a page gives a colour, or a type, another look, and what lies inside keeps its own", async () => {
  const looks = () => page.$$eval("#text mark", (all) => all.map((mark) => getComputedStyle(mark).backgroundColor));
  await draw(NESTED);
  const before = await looks();
  await page.addStyleTag({
    content: ":root { --innerspan-hue-2: 100 } [data-label=FAULT] { background: rgb(1, 2, 3) }",
  });
  const after = await looks();
  assert.equal(after[0], "rgb(1, 2, 3)");
  assert.deepEqual(after.slice(1, 3), before.slice(1, 3));
  assert.match(after[3], / 100\)$/);
});

test("a page's own rules for mark and everything do not spoil the boxes", async () => {
  await page.addStyleTag({ content: "* { margin: 0; padding: 0 } mark { background: yellow }" });
  await draw([SHIP]);
  const { padding, background } = await page.$eval("#text mark", (mark) => {
    const { paddingLeft, backgroundColor } = getComputedStyle(mark);
    return { padding: parseFloat(paddingLeft), background: backgroundColor };
  });
  assert.ok(padding > 1);
  assert.match(background, /oklch/);
});

test("chips show the label whatever is in it, and a label cannot break out of the style sheet", async () => {
  const labels = ["PART", 'a"b', "\\", "x\ny", "}* { color: red }", "🚢 Ünit", "\u0000", "\ud83d", ""];
  const chips = await page.evaluate((labels) => {
    const element = document.querySelector("#text");
    const entities = labels.map((label, at) => ({ start: at, end: at + 1, label, score: 1 }));
    window.highlight(element, entities, { text: "abcdefghijkl" });
    return [...element.querySelectorAll("mark")].map((mark) => {
      const { content } = getComputedStyle(mark, "::after");
      return [mark.dataset.label, content];
    });
  }, labels);
  assert.deepEqual(
    chips.map(([label]) => label),
    labels,
  );
  assert.equal(chips[0][1], '"PART" / ""');
  assert.equal(chips[1][1], '"a\\"b" / ""');
  assert.equal(chips[5][1], '"🚢 Ünit" / ""');
  assert.notEqual(await page.$eval("main", (main) => getComputedStyle(main).color), "rgb(255, 0, 0)");
});

test("it works inside a shadow tree too", async () => {
  const background = await page.evaluate(() => {
    const root = document
      .querySelector("main")
      .attachShadow?.call(document.body.appendChild(document.createElement("div")), { mode: "open" });
    const element = root.appendChild(document.createElement("p"));
    element.textContent = "abc";
    window.highlight(element, [{ start: 0, end: 2, label: "A", score: 1 }]);
    element.firstChild.focus();
    const { backgroundColor } = getComputedStyle(element.firstChild);
    return [backgroundColor.startsWith("oklch"), root.querySelector(".innerspan-tooltip").innerText.startsWith("A")];
  });
  assert.deepEqual(background, [true, true]);
});

test("50,000 characters with 5,000 entities are drawn fast, and again faster", async (t) => {
  const times = await page.evaluate(() => {
    const text = "The seal of the pump of the Grey Petrel broke. ".repeat(1064).slice(0, 50_000);
    const entities = [];
    for (let at = 0; at + 46 < text.length; at += 47) {
      for (const [start, end, label] of [
        [4, 45, "FAULT"],
        [4, 39, "PART"],
        [16, 39, "PART"],
        [28, 39, "SHIP"],
        [40, 45, "X"],
      ]) {
        entities.push({ start: at + start, end: at + end, label, score: 0.9 });
      }
    }
    const element = document.querySelector("#text");
    const time = (work) => {
      const began = performance.now();
      work();
      return performance.now() - began;
    };
    const draw = (text, entities) => () => window.highlight(element, entities, { text });
    const first = time(draw(text, entities));
    const layout = time(() => element.offsetHeight);
    const nothing = time(draw(text, entities));
    const typed = entities.map((one) =>
      one.start < 25_000 ? one : { ...one, start: one.start + 1, end: one.end + 1 },
    );
    const typing = time(
      draw(
        text.slice(0, 25_000) + "x" + text.slice(25_000),
        typed.filter(({ start, end }) => start > 25_000 || end < 25_000),
      ),
    );
    const html = time(() => window.highlightHtml(text, entities));
    return { entities: entities.length, first, layout, nothing, typing, html };
  });
  t.diagnostic(
    Object.entries(times)
      .map(([name, value]) => `${name} ${value.toFixed(0)}`)
      .join(", "),
  );
  assert.ok(times.entities > 5000);
  assert.ok(times.first < 1000 && times.nothing < 200 && times.typing < 200, JSON.stringify(times));
});
