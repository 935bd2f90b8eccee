// Measures what each concept's transferred vector does at several layer pairs, on the items that `trimtab demo` does not judge by (from the
// 33rd on): what the demo's layers were chosen by. From the repository root, after `npm run build`:
//   node models/choose-layers.js [PAIRS=1:1,1:3] [CONCEPTS=french,capitals,past,happy,dog,indoor]

import {
  compareSteering,
  cosineBetween,
  demoData,
  demoModelPath,
  extractVector,
  fitMaps,
  openModel,
  parseLayerPair,
  readContrastSet,
  readItems,
  renderTable,
  residPost,
  transferVector,
} from "trimtab";

const [pairs = "1:1,1:3", concepts = "french,capitals,past,happy,dog,indoor"] = process.argv.slice(2);
/** The demo judges by these first ones. */
const judgedBy = 32;

const small = await openModel(demoModelPath("s"), { threads: 1 });
const large = await openModel(demoModelPath("m"), { threads: 1 });
const maps = pairs
  .split(",")
  .map(parseLayerPair)
  .map(({ source, target }) => ({ sources: [source], target }));
const { maps: fitted } = await fitMaps(small, large, {
  corpus: demoData("corpus.jsonl.gz"),
  layers: { kind: "pairs", maps },
  maxRows: 20_000,
});

const rows = [];
for (const concept of concepts.split(",")) {
  const contrasts = await readContrastSet(demoData(`pairs/${concept}.jsonl`));
  const items = (await readItems(demoData(`items/${concept}.jsonl`))).slice(judgedBy);
  for (const map of fitted) {
    const [source, target] = [map.sources[0].site.layer, map.target.site.layer];
    // As in the demo: mood is read where the text ends.
    const readAt = concept === "happy" ? { readAt: "last" } : {};
    const extract = (model, layer) => extractVector(model, contrasts, { sites: [residPost(layer)], concept, ...readAt });
    const { vector: native } = await extract(large, target);
    const { vector: transferred } = transferVector((await extract(small, source)).vector, map);
    const c = await compareSteering(large, items, {
      native,
      transferred,
      strengths: [-0.5, 0.5],
      randomCount: 20,
      seed: 0,
    });
    const row = [
      concept,
      `${source}:${target}`,
      cosineBetween(native, transferred)[0].cosine.toFixed(2),
      c.deltaCorrelation.value.toFixed(2),
      c.slope.ratio.value.toFixed(2),
      `${(100 * c.movedRight.native.value).toFixed(0)}, ${(100 * c.movedRight.transferred.value).toFixed(0)}`,
      `${c.z.native.toFixed(1)}, ${c.z.transferred.toFixed(1)}`,
      c.verdict.code,
    ];
    rows.push(row);
    console.error(row.join("  "));
  }
}
const titles = ["concept", "layers", "cosine", "Δr", "slope", "right % native, transf.", "z native, transf.", "verdict"];
console.log(renderTable(titles.map((title) => ({ title })), rows));
await small.close();
await large.close();
