import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  createMatrix,
  type EngineModel,
  openModel,
  openStitched,
  residPost,
  type StitchedModel,
  seededRandom,
} from "../src/index.ts";
import { syntheticModel } from "../test/engine/synthetic-model.ts";
import { compareRates, median, type Ratio } from "./measure.ts";

const child = fileURLToPath(new URL("stitch-child.js", import.meta.url));
/** A small and a large model of random numbers: wide enough that the arithmetic counts, and a cut in the middle of the large one. */
const [narrow, wide] = [
  { width: 192, blocks: 4, heads: 6, context: 512 },
  { width: 512, blocks: 8, heads: 8, context: 512 },
] as const;
const [from, to] = [1, 3];
const written = 32;
const windows = 2;
const windowTokens = 256;

/**
 * A stitched model against the large model alone, which it shares late blocks with: tokens per second of writing and of scoring, and peak memory
 * of a process that opens the one or the other. The weights that are multiplied are about half of the large model's.
 */
export async function benchStitch(threads: number): Promise<Ratio[]> {
  const folder = await mkdtemp(join(tmpdir(), "trimtab-bench-stitch-"));
  try {
    const [small, large] = [join(folder, "small.gguf"), join(folder, "large.gguf")];
    await writeFile(small, await syntheticModel("llama", narrow));
    await writeFile(large, await syntheticModel("llama", wide));
    const speeds = await compareSpeeds(small, large, threads);
    return [...speeds, await compareMemory(small, large, threads)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compareSpeeds(small: string, large: string, threads: number): Promise<Ratio[]> {
  await using source = await openModel(small, { threads });
  await using target = await openModel(large, { threads });
  await using stitched = await openStitched({ source, target: large, whole: target, map: randomMap(), threads });
  const random = seededRandom(0);
  const texts = Array.from({ length: windows }, () =>
    Int32Array.from({ length: windowTokens }, () => random.integer(source.description.vocabulary)),
  );
  const write = async (model: EngineModel | StitchedModel): Promise<void> => {
    for await (const { token } of model.generate(texts[0]!.slice(0, 16), {
      maxTokens: written,
      temperature: 1,
      seed: 1,
    }))
      if (token < -1) return;
  };
  const items = texts.map((tokens) => ({ prompt: tokens.slice(0, 1), continuations: [tokens.slice(1)] }));
  const how = `blocks 0-${from} of 4 x 192 and ${to + 1}-7 of 8 x 512, ${stitched.tail.way}`;
  return [
    await compareRates(`writing, stitched against the large model (${how})`, {
      amount: written,
      unit: "tokens/s",
      rounds: 3,
      ours: () => write(stitched),
      reference: () => write(target),
    }),
    await compareRates(`scoring, stitched against the large model (${how})`, {
      amount: windows * windowTokens,
      unit: "tokens/s",
      rounds: 3,
      ours: () => stitched.scoreWindows(texts),
      reference: () => target.logProbabilities(items),
    }),
  ];
}

/** Nobody reads what random models write: only its time counts. */
function randomMap() {
  const random = seededRandom(1);
  const A = createMatrix(wide.width, narrow.width);
  for (let i = 0; i < A.data.length; i++) A.data[i] = random.normal() / Math.sqrt(narrow.width);
  const p = new Float64Array(wide.width);
  return { A, p, sources: [{ site: residPost(from) }], target: { site: residPost(to) } };
}

async function compareMemory(small: string, large: string, threads: number): Promise<Ratio> {
  const peak = async (...models: string[]): Promise<number> => {
    const { stdout } = await promisify(execFile)(process.execPath, [child, String(threads), String(to), ...models]);
    return Number(stdout) / 1e6;
  };
  const pairs: [number, number][] = [];
  for (let round = 0; round < 2; round++) pairs.push([await peak(large, small), await peak(large)]);
  const ratios = pairs.map(([a, b]) => a / b);
  return {
    name: "peak memory, early blocks and tail against the large model",
    unit: "MB",
    ratio: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    target: undefined,
    ours: median(pairs.map(([a]) => a)),
    reference: median(pairs.map(([, b]) => b)),
  };
}
