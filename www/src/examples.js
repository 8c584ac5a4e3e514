// Texts to try, by what a model knows about.

/** @typedef {{ name: string, text: () => string | Promise<string> }} Example */

/** UTF-16 units of the long example. */
const LONG = 50_000;

const LOG = `Maren Tóth, chief engineer of the Grey Petrel, noted a hairline crack in the rudder stock of the Northern Lamp. The Harbour Board of Sankt Ülmen met on Tuesday to discuss the fire pump of the Morning Heron.

Under Rule 14 of the Lodsvik Class Register, the lifeboat davit has to be load-tested every spring. Pieter Brandsma measured 3.5 mm of play in the bearing of the propeller shaft and swore quietly. A diver found pitting on the propeller of the Anselma.`;

const LETTER = `Dear Otto Rehn,

The Kvarnholm Dry Dock Company has found corrosion on the keel bolts of the Northern Lamp. The night watchman of the Harbour Board of Sankt Ülmen reported smoke from the exhaust manifold. Please order two spare sets of the gasket for the heat exchanger from Port Ansel.

The Sankt Ülmen Pilots' Guild wants the searchlight of the Anselma repaired before the herring season.

Ingrid Ásvald, harbour master of Sankt Ülmen`;

const ABSTRACT = `Human T lymphocytes were stimulated through the CD28 surface receptor, and the IL-2 gene was transcribed within an hour. Binding of NF-kappa B to the IL-2 promoter depended on the p65 subunit, which was missing in Jurkat cells that carried mutant TRAF6. A monoclonal antibody against the interleukin-2 receptor alpha chain blocked the growth of the activated cell line.`;

/** A whole logbook, of the sentences that the model of the demo learnt from. */
async function logbook() {
  const { default: lines } = await import("../../native-cli/demo/train.jsonl?raw");
  const sentences = lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).text);
  let text = "";
  for (let at = 0; text.length < LONG; at++) {
    text += sentences[at % sentences.length] + (at % 6 === 5 ? "\n\n" : " ");
  }
  return text.slice(0, LONG);
}

/** @type {Record<string, Example[]>} */
const EXAMPLES = {
  harbour: [
    { name: "Log entry", text: () => LOG },
    { name: "Letter", text: () => LETTER },
    { name: "Whole logbook", text: logbook },
  ],
  biomedicine: [{ name: "Abstract", text: () => ABSTRACT }],
};

/**
 * Buttons that bring the examples of a model. The first is brought at once, unless somebody has written something.
 *
 * @param {HTMLElement} root
 * @param {{ readonly text: string, replace: (text: string) => void }} editor
 */
export function createExamples(root, editor) {
  /** @type {string | undefined} what these examples are about */
  let subject;
  let brought = "";

  /** @param {Example} example */
  const bring = async ({ text }) => {
    brought = await text();
    editor.replace(brought);
  };

  return {
    /** @param {string} [about] */
    show(about = "") {
      if (about === subject) return;
      subject = about;
      const examples = EXAMPLES[about] ?? Object.values(EXAMPLES).flat();
      const buttons = examples.map((example) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = example.name;
        button.addEventListener("click", () => bring(example));
        return button;
      });
      root.replaceChildren(...buttons);
      if (editor.text === brought) bring(examples[0]);
    },
  };
}
