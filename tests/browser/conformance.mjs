// Whether a browser recognises the cases of `tests/conformance` as it must.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MODELS, cases, expected } from "./models.mjs";

/** How far a score may be from the reference's. */
const TOLERANCE = 1e-3;

/**
 * Runs all cases in a page that `lab.mjs` prepared and compares every entity.
 * @param {{ evaluate: Function }} page
 */
export async function conform(page, { model = "bert", precision = "f32", device = "cpu" }) {
  const chosen = cases();
  const texts = chosen.map(({ text }) => text);
  const { found, kind } = await page.evaluate(
    async ([texts, folder, precision, device]) => {
      const ner = await innerspan.Recognizer.load(folder, { precision, device });
      const found = await ner.extractBatch(texts);
      const { kind } = ner.device;
      ner.dispose();
      return { found, kind };
    },
    [texts, model, precision, device],
  );
  assert.equal(kind, device);
  const wanted = expected(model, precision);
  for (const [index, { name, text }] of chosen.entries()) {
    const span = ({ start, end, label }) => `${start}-${end} ${label}`;
    assert.deepEqual(found[index].map(span), wanted[index].map(span), `${model}.${precision}, ${name}`);
    for (const [at, entity] of found[index].entries()) {
      assert.equal(entity.text, text.slice(entity.start, entity.end));
      assert.ok(Math.abs(entity.score - wanted[index][at].score) < TOLERANCE, `${name}: ${JSON.stringify(entity)}`);
    }
  }
  assert.ok(found.flat().length > 10, "the cases hold entities");
}

/** A test for every model in every precision, in a page of `at`, which `lab()` made. */
export function conformAll(at, where, device) {
  for (const [model, precision] of MODELS) {
    test(`${where} agrees with the reference: ${model}, ${precision}`, { timeout: 600_000 }, async () => {
      const { page, context, problems } = await at.page();
      await conform(page, { model, precision, device });
      assert.deepEqual(problems, []);
      await context.close();
    });
  }
}
