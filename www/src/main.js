import "innerspan/innerspan-text";
import { createChooser } from "./chooser.js";
import { takeDrops } from "./drop.js";
import { createEditor } from "./editor.js";
import { Engine } from "./engine.js";
import { createExamples } from "./examples.js";
import { bytes, counted, time } from "./format.js";
import { createLegend } from "./legend.js";
import { builtIn, ownModel } from "./models.js";
import { keepForOffline, workOffline } from "./offline.js";
import { createProblemBox } from "./problem-box.js";
import { isAborted } from "./problems.js";
import { followTheme } from "./theme.js";

/** @typedef {import("innerspan").Precision} Precision */
/** @typedef {import("innerspan").Progress} Progress */
/** @typedef {import("./models.js").Model} Model */

/** Milliseconds without a key before the text is read. */
const PAUSE = 60;
/** Milliseconds of quiet before a screen reader is told how much there is. */
const QUIET = 1000;

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);
/** @type {import("innerspan/innerspan-text").InnerspanText} */
const view = byId("view");
/** @type {HTMLInputElement} */
const threshold = byId("threshold");
/** @type {HTMLProgressElement} */
const progress = byId("progress");

/** Which device to use; `?device=cpu` leaves the graphics card alone. */
const device = /** @type {any} */ (new URLSearchParams(location.search).get("device") ?? "auto");

const engine = new Engine();
const problems = createProblemBox(byId("problem"));
const editor = createEditor(byId("text"), view, byId("scroll"), schedule);
const examples = createExamples(byId("examples"), editor);
const legend = createLegend(byId("legend"), (hidden) => {
  view.hiddenLabels = hidden;
  showCounts();
});
const parts = { model: byId("model"), precision: byId("precision"), open: byId("open"), folder: byId("folder") };
const chooser = createChooser(parts, load, problems.show);

/** What is in use, for people. */
let status = "No model is loaded";

/**
 * Whether the model is in use in the end; the one before stays in use where it is not.
 *
 * @param {Model} model
 * @param {Precision} precision
 */
async function load(model, precision) {
  problems.hide();
  if (!engine.ready) examples.show(model.examples);
  progress.hidden = false;
  progress.removeAttribute("value");
  byId("status").textContent = `Loading ${model.name}…`;
  try {
    const { labels } = await engine.load(model, precision, device, showProgress);
    status = `${model.name} is ready`;
    view.entities = [];
    view.labels = labels;
    view.hiddenLabels = [];
    legend.setLabels(labels);
    examples.show(model.examples);
    showDevice();
    read();
    keepForOffline();
  } catch (error) {
    if (!isAborted(error)) problems.show(error, () => chooser.choose(model, precision));
    return false;
  } finally {
    // a model that was chosen meanwhile shows its own progress
    if (!engine.loading) {
      byId("status").textContent = status;
      progress.hidden = true;
    }
  }
  return true;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let pause;

/** Reads the text when the keys have rested for a moment; what is being read is out of date. */
function schedule() {
  clearTimeout(pause);
  engine.stop();
  showCounts();
  pause = setTimeout(read, PAUSE);
}

async function read() {
  if (!engine.ready) return;
  const began = performance.now();
  try {
    await engine.read(editor.text, (reading) => {
      // what was carried along while typing is better than a gap, until there is more
      if (reading.done === reading.total || reading.fresh > 0) view.entities = reading.entities;
      showCounts();
      showTime(reading, performance.now() - began);
    });
    problems.hide();
    showDevice();
    pause = setTimeout(() => (byId("announcement").textContent = byId("summary").textContent), QUIET);
  } catch (error) {
    if (!isAborted(error)) problems.show(error, read);
  }
}

/** @param {import("./reader.js").Reading} reading @param {number} took milliseconds */
function showTime({ done, total, fresh }, took) {
  if (done < total) byId("time").textContent = `reading: ${done} of ${counted(total, "sentence")}`;
  else if (fresh > 0) byId("time").textContent = `${counted(fresh, "sentence")} read in ${time(took)}`;
  else if (total === 0) byId("time").textContent = "";
}

function showCounts() {
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

/** @param {Progress} step */
function showProgress(step) {
  if (step.stage !== "load") return;
  const { loaded, total } = step;
  if (total > 0) progress.value = loaded / total;
  byId("loaded").textContent = `${bytes(loaded)}${loaded < total ? ` of ${bytes(total)}` : ""} loaded`;
}

function showDevice() {
  const { name = "", reason = "" } = engine.device ?? {};
  byId("device").textContent = reason ? `${name}: ${reason}` : name;
}

function setThreshold() {
  view.threshold = Number(threshold.value) / 100;
  byId("least").textContent = threshold.ariaValueText = `${threshold.value}\u00a0%`;
  showCounts();
}

/** The entities that can be seen, as JSON. */
async function copy() {
  const { hidden } = legend;
  const seen = view.entities.filter(({ label, score }) => score >= view.threshold && !hidden.has(label));
  const button = byId("copy");
  const copied = navigator.clipboard?.writeText(JSON.stringify(seen, null, 2)) ?? Promise.reject();
  button.textContent = await copied.then(
    () => "Copied",
    () => "Not allowed here",
  );
  setTimeout(() => (button.textContent = "Copy JSON"), 1500);
}

threshold.addEventListener("input", setThreshold);
byId("copy").addEventListener("click", copy);
takeDrops(
  byId("drop"),
  (what) => ("text" in what ? editor.replace(what.text) : chooser.choose(ownModel(what))),
  problems.show,
);
followTheme(byId("theme"));
setThreshold();
workOffline();

const models = await builtIn().catch(() => []);
models.forEach(chooser.add);
if (models.length > 0) chooser.choose(models[0]);
else {
  examples.show();
  byId("status").textContent = "No model is loaded";
  const advice =
    "There is no model beside this page. Open the folder of one, or run npm run models and load the page again.";
  problems.show(new TypeError(advice));
}
