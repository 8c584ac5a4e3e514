import "innerspan/innerspan-text";
import { createEditor } from "./editor.js";
import { Engine } from "./engine.js";
import { examplesFor } from "./examples.js";
import { chosenFolder, dropped } from "./folder.js";
import { bytes, counted, time } from "./format.js";
import { createLegend } from "./legend.js";
import { builtIn, ownModel } from "./models.js";
import { workOffline } from "./offline.js";
import { explain, isAborted } from "./problems.js";
import { followTheme } from "./theme.js";

/** @typedef {import("innerspan").Precision} Precision */
/** @typedef {import("./models.js").Model} Model */

/** Milliseconds without a key before the text is read. */
const PAUSE = 60;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));
const view = /** @type {import("innerspan/innerspan-text").InnerspanText} */ (byId("view"));
const threshold = /** @type {HTMLInputElement} */ (byId("threshold"));
const modelChoice = /** @type {HTMLSelectElement} */ (byId("model"));
const precisionChoice = /** @type {HTMLSelectElement} */ (byId("precision"));
const folder = /** @type {HTMLInputElement} */ (byId("folder"));
const progress = /** @type {HTMLProgressElement} */ (byId("progress"));

const engine = new Engine();
/** @type {Model[]} */
const models = [];
/** Which device to use; `?device=cpu` leaves the graphics card alone. */
const device = /** @type {import("innerspan").DeviceChoice} */ (
  new URLSearchParams(location.search).get("device") ?? "auto"
);

const editor = createEditor(
  /** @type {HTMLTextAreaElement} */ (byId("text")),
  view,
  byId("scroll"),
  () => schedule(),
);
const legend = createLegend(byId("legend"), (hidden) => {
  view.hiddenLabels = hidden;
  count();
});

// Reading

/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;

function schedule() {
  clearTimeout(pause);
  engine.stop();
  count();
  pause = setTimeout(read, PAUSE);
}

async function read() {
  if (!engine.ready) return;
  const { text } = editor;
  const began = performance.now();
  try {
    await engine.read(text, ({ entities, done, total, fresh }) => {
      // while there is more to come, what was carried along is better than a gap
      if (done === total || fresh > 0) view.entities = entities;
      count();
      const complete = done === total;
      const what = counted(total, "sentence");
      if (!complete) byId("time").textContent = `reading: ${done} of ${what}`;
      else if (total === 0) byId("time").textContent = "";
      else if (fresh > 0) byId("time").textContent = `${counted(fresh, "sentence")} read in ${time(performance.now() - began)}`;
    });
    hideProblem();
    showDevice();
  } catch (error) {
    if (!isAborted(error)) showProblem(error, read);
  }
}

/** What is to be seen, and how much of it there is. */
function visible() {
  const { hidden } = legend;
  return view.entities.filter(({ label, score }) => score >= view.threshold && !hidden.has(label));
}

function count() {
  /** @type {Map<string, number>} */
  const counts = new Map();
  let seen = 0;
  for (const { label, score } of view.entities) {
    if (score < view.threshold) continue;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    if (!legend.hidden.has(label)) seen++;
  }
  legend.setCounts(counts);
  byId("summary").textContent = counted(seen, "entity", "entities");
}

function setThreshold() {
  view.threshold = Number(threshold.value) / 100;
  byId("least").textContent = threshold.ariaValueText = `${threshold.value}\u00a0%`;
  count();
}

// Choosing a model

/** @param {Model} model @param {Precision} [precision] */
async function choose(model, precision = /** @type {Precision} */ (Object.keys(model.weights)[0] ?? "f32")) {
  showChoice(model, precision);
  hideProblem();
  progress.hidden = false;
  progress.removeAttribute("value");
  byId("status").textContent = `Loading ${model.name}…`;
  try {
    const { labels } = await engine.load(model, precision, device, (step) => {
      if (step.stage === "build") byId("status").textContent = `Starting ${model.name}…`;
      if (step.stage !== "load") return;
      const { loaded, total } = step;
      if (total > 0) progress.value = loaded / total;
      byId("loaded").textContent = total > loaded ? `${bytes(loaded)} of ${bytes(total)} loaded` : `${bytes(loaded)} loaded`;
    });
    view.entities = [];
    view.labels = labels;
    view.hiddenLabels = [];
    legend.setLabels(labels);
    byId("status").textContent = `${model.name} is ready`;
    progress.hidden = true;
    showDevice();
    await read();
  } catch (error) {
    if (isAborted(error)) return;
    progress.hidden = true;
    byId("status").textContent = "No model is loaded";
    showProblem(error, () => choose(model, precision));
  }
}

/** @param {Model} model @param {Precision} precision */
function showChoice(model, precision) {
  if (!models.includes(model)) {
    models.push(model);
    modelChoice.append(new Option(model.name));
  }
  modelChoice.selectedIndex = models.indexOf(model);
  const weights = Object.entries(model.weights);
  precisionChoice.hidden = weights.length < 2;
  precisionChoice.replaceChildren(
    ...weights.map(([name, size]) => new Option(`${name}, ${bytes(size)}`, name, false, name === precision)),
  );
  showExamples(model);
}

function showDevice() {
  const { name, reason } = engine.device ?? { name: "", reason: "" };
  byId("device").textContent = reason ? `${name}: ${reason}` : name;
}

/** The text of an example, as long as nobody has written another. */
let shown = "";

/** @param {Model} model */
function showExamples(model) {
  const examples = examplesFor(model.examples);
  const buttons = examples.map(({ name, text }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", async () => editor.replace((shown = await text())));
    return button;
  });
  byId("examples").replaceChildren(...buttons);
  if (editor.text === shown && !examples.some(({ name }) => name === byId("examples").dataset.name)) buttons[0]?.click();
}

// Problems

/** @param {unknown} error @param {() => unknown} [again] */
function showProblem(error, again) {
  const { title, advice, details } = explain(error);
  const heading = document.createElement("strong");
  heading.textContent = title;
  const words = document.createElement("p");
  words.textContent = advice;
  byId("problem").replaceChildren(heading, words);
  if (details) {
    const more = document.createElement("p");
    more.className = "details";
    more.textContent = details;
    byId("problem").append(more);
  }
  if (again) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Try again";
    button.addEventListener("click", () => again());
    byId("problem").append(button);
  }
  byId("problem").hidden = false;
}

function hideProblem() {
  byId("problem").hidden = true;
}

// Everything that can be pressed, turned and dropped

threshold.addEventListener("input", setThreshold);
modelChoice.addEventListener("change", () => choose(models[modelChoice.selectedIndex]));
precisionChoice.addEventListener("change", () =>
  choose(models[modelChoice.selectedIndex], /** @type {Precision} */ (precisionChoice.value)),
);
byId("open").addEventListener("click", () => folder.click());
folder.addEventListener("change", () => {
  if (!folder.files?.length) return;
  open(() => chosenFolder(/** @type {FileList} */ (folder.files)));
  folder.value = "";
});

/** @param {() => import("./folder.js").ModelFolder} find */
function open(find) {
  try {
    choose(ownModel(find()));
  } catch (error) {
    showProblem(error);
  }
}

byId("copy").addEventListener("click", async () => {
  const json = JSON.stringify(visible(), null, 2);
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(json);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed here";
  }
  setTimeout(() => (button.textContent = "Copy JSON"), 1500);
});

const drop = byId("drop");
const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragenter", (event) => {
  if (carriesFiles(event)) drop.hidden = false;
});
addEventListener("dragover", (event) => {
  if (carriesFiles(event)) event.preventDefault();
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.hidden = true;
});
addEventListener("drop", async (event) => {
  drop.hidden = true;
  if (!event.dataTransfer || !carriesFiles(event)) return;
  event.preventDefault();
  try {
    const what = await dropped(event.dataTransfer);
    if ("text" in what) editor.replace(what.text);
    else choose(ownModel(what));
  } catch (error) {
    showProblem(error);
  }
});

followTheme(byId("theme"));
setThreshold();
workOffline();

for (const model of await builtIn().catch(() => [])) {
  models.push(model);
  modelChoice.append(new Option(model.name));
}
if (models.length > 0) choose(models[0]);
else {
  byId("status").textContent = "No model is loaded";
  showProblem(new TypeError("There is no model beside this page. Open the folder of one, or run `npm run models` once."));
}
