import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import { loadOnCpu, longText, MODEL, residentMiB, run, runModule, TEXT } from "./support.mjs";

const inWorker = (source) =>
  new Worker(
    `import { parentPort } from "node:worker_threads";
     import { Recognizer } from "innerspan-node";
     const ner = await Recognizer.load(${JSON.stringify(MODEL)}, { device: "cpu" });
     ${source}`,
    { eval: true, execArgv: ["--input-type=module"] },
  );

test("a worker thread has its own recognizers", async () => {
  const own = await loadOnCpu();
  const expected = await own.extract(TEXT);
  const workers = [1, 2, 3].map(() => inWorker(`parentPort.postMessage(await ner.extract(${JSON.stringify(TEXT)}));`));
  const ends = workers.map((worker) => Promise.all([once(worker, "message"), once(worker, "exit")]));
  for (const [[entities], [code]] of await Promise.all(ends)) {
    assert.deepEqual(entities, expected);
    assert.equal(code, 0);
  }
  assert.deepEqual(await own.extract(TEXT), expected);
  own.dispose();
});

test("a worker thread that is terminated amid its work harms nobody", async () => {
  const own = await loadOnCpu();
  for (let round = 0; round < 5; round += 1) {
    const worker = inWorker(`ner.extract("pump ".repeat(150_000)); parentPort.postMessage("begun");`);
    await once(worker, "message");
    await worker.terminate();
    assert.ok((await own.extract(TEXT)).length > 0);
  }
  own.dispose();
});

test("a process that only ever used it in a worker thread ends well", async () => {
  const { code, signal, stderr } = await runModule(`
    import { Worker } from "node:worker_threads";
    const source = \`
      import { Recognizer } from "innerspan-node";
      const ner = await Recognizer.load(${JSON.stringify(MODEL)}, { device: "cpu" });
      await ner.extract("pump");\`;
    for (let round = 0; round < 3; round += 1) {
      const worker = new Worker(source, { eval: true, execArgv: ["--input-type=module"] });
      await new Promise((resolve, reject) => worker.on("exit", resolve).on("error", reject));
    }
    process.exitCode = 3;`);
  assert.deepEqual([code, signal], [3, null], stderr);
});

test("process.exit amid a load or a pass ends the process with its code", async () => {
  for (const amid of [`Recognizer.load(model, { device: "cpu" });`, `ner.extract("pump ".repeat(150_000));`]) {
    for (const wait of [0, 30, 200]) {
      const { code, signal, stderr } = await runModule(`
        import { Recognizer } from "innerspan-node";
        const model = ${JSON.stringify(MODEL)};
        const ner = await Recognizer.load(model, { device: "cpu" });
        ${amid}
        setTimeout(() => process.exit(7), ${wait});`);
      assert.deepEqual([code, signal], [7, null], stderr);
    }
  }
});

test("a process with a recognizer that nobody disposed of ends by itself", async () => {
  const { code, stdout } = await runModule(`
    import { Recognizer } from "innerspan-node";
    const ner = await Recognizer.load(${JSON.stringify(MODEL)}, { device: "cpu" });
    console.log((await ner.extract(${JSON.stringify(TEXT)})).length > 0);`);
  assert.deepEqual([code, stdout], [0, "true\n"]);
});

test("dispose frees the model", async () => {
  for (let round = 0; round < 10; round += 1) (await loadOnCpu()).dispose();
  const before = await residentMiB();
  for (let round = 0; round < 400; round += 1) (await loadOnCpu()).dispose();
  const grown = (await residentMiB()) - before;
  // 400 models that stay would be more than 300 MiB
  assert.ok(grown < 60, `${grown.toFixed(1)} MiB more after 400 models`);
});

test("garbage collection frees the model", async () => {
  const load = async () => assert.ok((await (await loadOnCpu()).extract(TEXT)).length > 0);
  for (let round = 0; round < 200; round += 1) await load();
  const before = await residentMiB();
  for (let round = 0; round < 400; round += 1) await load();
  const grown = (await residentMiB()) - before;
  assert.ok(grown < 60, `${grown.toFixed(1)} MiB more after 400 models`);
});

test(
  "weights lie in the mapped file, which is let go of with the model",
  { skip: process.platform !== "linux" },
  async () => {
    const mapped = () => readFileSync("/proc/self/maps", "utf8").includes("/model.safetensors");
    assert.equal(mapped(), false);
    const own = await loadOnCpu();
    assert.ok((await own.extract(TEXT)).length > 0);
    assert.equal(mapped(), true);
    own.dispose();
    await residentMiB();
    assert.equal(mapped(), false);
  },
);

test("processes share the weights", { skip: process.platform !== "linux" }, async () => {
  const program = `
    import { Recognizer } from "innerspan-node";
    const ner = await Recognizer.load(${JSON.stringify(MODEL)}, { device: "cpu" });
    await ner.extract(${JSON.stringify(TEXT)});
    process.stdout.write("ready");
    setInterval(() => {}, 1_000);`;
  const children = Array.from({ length: 3 }, () =>
    spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  try {
    await Promise.all(children.map(({ stdout }) => once(stdout, "data")));
    for (const { pid } of children) {
      const maps = readFileSync(`/proc/${pid}/smaps`, "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
      const weights = maps.filter((map) => map.split("\n")[0].endsWith("/models/bert/model.safetensors"));
      const sum = (/** @type {string} */ field) =>
        weights.reduce((kiB, map) => kiB + Number(map.match(new RegExp(`^${field}:\\s+(\\d+)`, "m"))?.[1]), 0);
      assert.ok(sum("Rss") > 200, `only ${sum("Rss")} KiB of weights are in the mapped file`);
      assert.equal(sum("Private_Dirty") + sum("Anonymous"), 0);
      // shared by three at least; other programs may have the file mapped too
      assert.ok(sum("Pss") <= sum("Rss") / 2, `${sum("Pss")} of ${sum("Rss")} KiB`);
    }
  } finally {
    for (const child of children) child.kill();
  }
});

test("work goes on although nobody holds the recognizer", async () => {
  const promise = loadOnCpu().then((own) => own.extract(longText(30_000)));
  const collecting = setInterval(() => globalThis.gc?.(), 10);
  assert.ok((await promise).length > 0);
  clearInterval(collecting);
});

test("a platform without a build is named", async () => {
  const { find } = await import("../js/native.js");
  assert.throws(() => find("aix", "ppc64"), { code: "device", message: /no build for aix ppc64; .*linux-x64-gnu/ });
  assert.throws(() => find("win32", "arm64"), { code: "device", message: /innerspan-node-win32-arm64-msvc/ });
  const { stdout } = await run(process.execPath, [
    "--eval",
    `Object.defineProperty(process, "arch", { value: "mips" });
     import(${JSON.stringify(fileURLToPath(new URL("../js/index.js", import.meta.url)))})
       .then(({ Recognizer }) => Recognizer.load("x"))
       .catch((error) => console.log(error.name, error.code));`,
  ]);
  assert.equal(stdout, "InnerspanError device\n");
});
