// Entities over HTTP:
//
//   MODEL=model PORT=3000 node server.mjs
//   curl -s localhost:3000/extract -H 'content-type: application/json' -d '{"text": "IL-2 gene expression"}'
//
// It answers at most QUEUE requests at once and sends the others away with 503, stops the work of clients that hang
// up, and on SIGTERM or SIGINT finishes what it has begun.

import Fastify from "fastify";
import { Recognizer } from "innerspan-node";

const { MODEL = "model", HOST = "127.0.0.1", PORT = "3000", QUEUE = "64" } = process.env;

/** The status that says whose fault an error is. */
const STATUS = { input: 400, "too-long": 413, aborted: 499, disposed: 503 };

const ner = await Recognizer.load(MODEL);
const app = Fastify({
  bodyLimit: 4 << 20,
  forceCloseConnections: "idle",
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
});
let underWay = 0;
let closing = false;
// a connection that stays open after its last answer would hold up the stop
app.addHook("preClose", async () => void (closing = true));
app.addHook("onSend", async (_request, reply) => void (closing && reply.header("connection", "close")));

app.get("/health", async () => ({ status: "ok", device: ner.device, labels: ner.labels, underWay }));

const body = {
  type: "object",
  required: ["text"],
  additionalProperties: false,
  properties: { text: { type: "string" }, threshold: { type: "number", minimum: 0, maximum: 1 } },
};

app.post("/extract", { schema: { body } }, async (request, reply) => {
  if (underWay >= Number(QUEUE)) {
    return reply.code(503).header("retry-after", "1").send({ code: "busy", message: "too many requests at once" });
  }
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  underWay += 1;
  try {
    const { text, threshold } = request.body;
    return { entities: await ner.extract(text, { threshold, signal: gone.signal }) };
  } finally {
    underWay -= 1;
  }
});

app.setErrorHandler((error, _request, reply) => {
  const status = STATUS[error.code] ?? error.statusCode ?? 500;
  if (status === 500) console.error(error);
  return reply.code(status).send({ code: error.code ?? "internal", message: error.message });
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, async () => {
    await app.close();
    ner.dispose();
  });
}

await app.listen({ host: HOST, port: Number(PORT) });
console.log(`listening on ${app.listeningOrigin}, ${ner.device.name}`);
