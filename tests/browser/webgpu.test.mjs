import assert from "node:assert/strict";
import { test } from "node:test";
import { conformAll } from "./conformance.mjs";
import { TEXT, lab } from "./lab.mjs";

const at = lab({ webgpu: true });

conformAll(at, "WebGPU", "wgpu");

test("WebGPU in a worker finds what the CPU finds", { timeout: 600_000 }, async () => {
  const { page, context, problems } = await at.page();
  const { device, cpu, gpu } = await page.evaluate(async (text) => {
    const ner = await worker.Recognizer.load("model", { device: "wgpu" });
    const cpu = await (await innerspan.Recognizer.load("model", { device: "cpu" })).extract(text);
    return { device: ner.device, cpu, gpu: await ner.extract(text) };
  }, TEXT);
  assert.equal(device.kind, "wgpu");
  assert.match(device.name, /WebGPU/);
  const spans = (list) => list.map(({ start, end, text, label }) => [start, end, text, label]);
  assert.deepEqual(spans(gpu), spans(cpu));
  assert.ok(gpu.length > 0);
  assert.deepEqual(problems, []);
  await context.close();
});

test("auto never takes a software adapter, and does not download the GPU's build for it", async () => {
  const { page, context } = await at.page();
  at.server.requests.length = 0;
  const device = await page.evaluate(async () => (await innerspan.Recognizer.load("model")).device);
  assert.equal(device.kind, "cpu");
  assert.match(device.reason, /software/);
  assert.ok(!at.server.requests.some((line) => line.includes("webgpu")), at.server.requests.join("\n"));
  await context.close();
});

test("a GPU that is lost is found again at the next call", { timeout: 600_000 }, async () => {
  const { page, context, problems } = await at.page();
  await page.evaluate(() => {
    window.devices = [];
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...given) {
      const device = await request.apply(this, given);
      devices.push(device);
      return device;
    };
  });
  const [before, after, count] = await page.evaluate(async (text) => {
    const ner = await innerspan.Recognizer.load("model", { device: "wgpu" });
    const before = await ner.extract(text);
    devices.at(-1).destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [before, await ner.extract(text), devices.length];
  }, TEXT);
  assert.deepEqual(after, before);
  assert.equal(count, 2);
  assert.deepEqual(problems, []);
  await context.close();
});

test('an adapter that is refused rejects with "device", or under auto falls back to the CPU', async () => {
  const { page, context } = await at.page();
  const [asked, auto] = await page.evaluate(async () => {
    const info = { vendor: "acme", architecture: "", device: "", description: "Acme 9000" };
    const real = await navigator.gpu.requestAdapter();
    const adapter = new Proxy(real, {
      get: (target, name) => {
        if (name === "info") return info;
        if (name === "isFallbackAdapter") return false;
        if (name === "requestDevice") return () => Promise.reject(new DOMException("refused", "OperationError"));
        const value = target[name];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    GPU.prototype.requestAdapter = async () => adapter;
    const asked = await outcome(innerspan.Recognizer.load("model", { device: "wgpu" }));
    const auto = await innerspan.Recognizer.load("model");
    return [asked, auto.device];
  });
  assert.equal(asked.code, "device", JSON.stringify(asked));
  assert.equal(auto.kind, "cpu");
  assert.match(auto.reason, /GPU cannot be used/);
  await context.close();
});
