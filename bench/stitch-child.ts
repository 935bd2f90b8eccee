import { openModel, openTail } from "../src/index.ts";

// Opens a large model, or a small one and the large one's last blocks, computes a little, and prints the most memory it ever held, bytes:
// `node stitch-child.js THREADS LAYER LARGE [SMALL]`.

const [threads, layer] = [Number(process.argv[2]), Number(process.argv[3])];
const [large, small] = [process.argv[4] ?? "", process.argv[5]];
const tokens = Int32Array.from({ length: 64 }, (_, at) => at);
if (small === undefined) {
  await using model = await openModel(large, { threads });
  await model.logits([tokens]);
} else {
  await using model = await openModel(small, { threads });
  await model.logits([tokens]);
  // What the opening reads of the whole model to prove the tail is part of what it takes.
  await using tail = await openTail(large, { layer, threads });
  await tail.logits([{ tokens, rows: new Float32Array(tokens.length * tail.description.width).fill(0.1) }]);
}
// Kilobytes, on every system that Node runs on.
process.stdout.write(String(1024 * process.resourceUsage().maxRSS));
