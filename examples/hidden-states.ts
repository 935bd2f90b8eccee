// Reads hidden states of any GGUF model and projects a direction out of them. Run: node dist/examples/hidden-states.js [model.gguf]

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

// The same text with one direction removed from the middle block: what does the model expect next?
const direction = new Float32Array(width).fill(1);
const [plain] = await model.logits([text]);
const [without] = await model.logits([text], { edits: [{ kind: "project-out", site: middle, vector: direction }] });
const likeliest = async (logits: Float32Array) => {
  const token = logits.indexOf(Math.max(...logits));
  return JSON.stringify(await model.detokenize(Int32Array.of(token), { special: true }));
};
console.log(
  `likeliest next token ${await likeliest(plain!)}, with the direction projected out ${await likeliest(without!)}`,
);
