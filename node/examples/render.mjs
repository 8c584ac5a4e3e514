// Writes a page with the entities of a text highlighted, as the browser's package draws them:
//
//   node render.mjs MODEL < text.txt > page.html

import { text as read } from "node:stream/consumers";

import { Recognizer } from "innerspan-node";
import { highlightCss, highlightHtml } from "innerspan-node/highlight";

const [model] = process.argv.slice(2);
if (!model) {
  console.error("usage: node render.mjs MODEL < text.txt > page.html");
  process.exit(2);
}

const ner = await Recognizer.load(model);
const text = await read(process.stdin);
const body = highlightHtml(text, await ner.extract(text), { labels: ner.labels });

process.stdout.write(`<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>Entities</title>
  <style>${highlightCss}</style>
  <p style="white-space: pre-wrap">${body}</p>
</html>
`);
