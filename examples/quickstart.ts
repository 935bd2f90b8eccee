// The whole method on the embedded models: map, vector, transfer, steering. Run: node dist/examples/quickstart.js

import {
  demoData,
  demoModelPath,
  extractVector,
  fitMap,
  openModel,
  readContrastSet,
  residPost,
  toAdditions,
  transferVector,
} from "trimtab";

await using small = await openModel(demoModelPath("s"));
await using large = await openModel(demoModelPath("m"));

const [source, target] = [residPost(1), residPost(1)];
const { map } = await fitMap(small, large, {
  corpus: demoData("corpus.jsonl.gz"),
  sourceSite: source,
  targetSite: target,
  maxRows: 10_000,
});
console.log(`held-out R² ${map.scores.r2.toFixed(2)}, with shuffled pairs ${map.scores.nulls.shuffled.r2.toFixed(2)}`);

const pairs = await readContrastSet(demoData("pairs/french.jsonl"));
const { vector } = await extractVector(small, pairs, { sites: [source] });
const { vector: carried } = transferVector(vector, map);

const prompt = await large.tokenize("One day, a girl named Ella");
for (const strength of [0, 0.6]) {
  const steering = strength === 0 ? [] : toAdditions(carried, { strength, unit: "rms" });
  const [story] = await large.generateMany([prompt], { steering, seed: 1, maxTokens: 60 });
  console.log(`\nstrength ${strength}: ${story?.text.trim()}`);
}
