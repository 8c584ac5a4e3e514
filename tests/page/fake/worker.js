// Stands in for `innerspan/worker` in the tests of the page: the same interface, words of a list instead of a model.
// What it should do and what it was asked lies in `globalThis.fake`.

const fake = (globalThis.fake ??= {});
fake.calls ??= []; // the texts of every extractBatch
fake.aborted ??= 0;
fake.loads ??= [];

const WORDS = [
  { pattern: /\b\w+ of the Grey Petrel/g, label: "PART", score: 0.9 },
  { pattern: /Grey Petrel/g, label: "SHIP", score: 0.99 },
  { pattern: /Maren|Otto/g, label: "PERSON", score: 0.7 },
  { pattern: /maybe/g, label: "PERSON", score: 0.2 },
];

export class InnerspanError extends Error {
  name = "InnerspanError";
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const wait = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const stop = () => {
      fake.aborted++;
      reject(new InnerspanError("aborted", "stopped"));
    };
    if (signal?.aborted) return stop();
    signal?.addEventListener("abort", stop);
    setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
  });

export class Recognizer {
  labels = ["PART", "PERSON", "SHIP"];
  device = { kind: "cpu", name: "CPU (fake)", reason: "no GPU was found" };

  static async load(source, { onProgress, signal, precision, device }) {
    const names = source instanceof Map ? [...source.keys()].sort() : source;
    fake.loads.push({ source: names, precision, device });
    for (const loaded of [1e6, 2e6, 3e6]) {
      await wait(5, signal);
      onProgress({ stage: "load", file: "model.safetensors", loaded, total: 3e6 });
      if (fake.stallsAt === loaded) {
        delete fake.stallsAt; // once, so that the next load passes
        await wait(1e9, signal);
      }
    }
    onProgress({ stage: "build" });
    if (fake.loadError) throw new InnerspanError(fake.loadError, "details of the problem");
    return new Recognizer();
  }

  async extractBatch(texts, { threshold, signal }) {
    fake.calls.push(texts);
    await wait(fake.delay ?? 1, signal);
    if (fake.extractError) throw new InnerspanError(fake.extractError, "details of the problem");
    return texts.map((text) => {
      const found = WORDS.flatMap(({ pattern, label, score }) =>
        [...text.matchAll(pattern)].map(({ index, 0: word }) => ({
          start: index,
          end: index + word.length,
          text: word,
          label,
          score,
        })),
      );
      return found.filter(({ score }) => score > threshold);
    });
  }

  dispose() {
    fake.disposed = (fake.disposed ?? 0) + 1;
  }
}
