// Trains on the rows of train-sae.test.ts with a save after every step, until it is killed.
import { toRowSource } from "../../src/features/train/row-source.ts";
import { trainSae } from "../../src/features/train/train-sae.ts";
import { setLinalgThreads } from "../../src/linalg/threads.ts";
import { plantedCodes } from "./planted-codes.ts";

setLinalgThreads(1);
const planted = plantedCodes({ rows: 12_000, width: 24, features: 40, active: 3, seed: 5 });
await trainSae(toRowSource("planted", planted.X, planted.width), {
  ...{ features: 48, k: 3, batch: 256, steps: 70, learningRate: 3e-3, deadAfter: 5000 },
  ...{ bufferRows: 5000, kind: "jumprelu" },
  checkpoint: { path: process.argv[2] as string, everyMs: 0, clock: () => performance.now() },
});
