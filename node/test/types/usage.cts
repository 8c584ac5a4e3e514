// The same package from CommonJS.

import innerspan = require("innerspan-node");

innerspan.Recognizer.load("model").then(async (ner) => {
  const entities: innerspan.Entity[] = await ner.extract("text");
  console.log(entities.length, innerspan.MAX_TEXT_LENGTH);
});
