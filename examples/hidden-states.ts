// Reads hidden states of any GGUF model and patches one into another text. Run: node dist/examples/hidden-states.js [model.gguf]

import { demoModelPath, openModel, residPost } from "trimtab";

await using model = await openModel(process.argv[2] ?? demoModelPath("s"));
const { blocks, width, name } = model.description;
console.log(`${name}: ${blocks} blocks of ${width}`);

const text = await model.tokenize("The little girl was very happy.");
const middle = residPost(blocks >> 1);
for await (const { states } of model.readStates([text], { sites: [middle] })) {
  const [rows] = states;
  for (let row = 0; row < text.length; row++) {
    const norm = Math.hypot(...rows!.subarray(row * width, (row + 1) * width));
    console.log(
      `${JSON.stringify(await model.detokenize(text.slice(row, row + 1))).padEnd(12)} ‖h‖ ${norm.toFixed(2)}`,
    );
  }
}

// What does the model expect after it, and what if the middle block's last row were that of another text?
const other = await model.tokenize("ONE DAY, A BOY NAMED TOM");
let last = new Float32Array(width);
for await (const { states } of model.readStates([other], { sites: [middle] })) last = states[0]!.slice(-width);
const patch = {
  kind: "replace",
  site: middle,
  vector: last,
  range: { start: text.length - 1, end: text.length },
} as const;
const [plain] = await model.logits([text]);
const [patched] = await model.logits([text], { edits: [patch] });
const likeliest = async (logits: Float32Array) => {
  const token = logits.indexOf(Math.max(...logits));
  return JSON.stringify(await model.detokenize(Int32Array.of(token), { special: true }));
};
console.log(
  `likeliest next token ${await likeliest(plain!)}; with the other text's state in its place ${await likeliest(patched!)}`,
);
