import type { TailInput } from "../engine/native/tail-runner.ts";
import { residPost } from "../engine/site.ts";
import type { TailModel } from "../engine/tail/tail-model.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { Random } from "../linalg/random.ts";
import { fitRidge } from "../maps/fit/fit-ridge.ts";
import { createMomentsSum } from "../maps/moments.ts";

/** The final states of a model run by its late blocks, `[tokens, width]` for each sequence; after the last block what enters is final. */
export async function readFinalStates(tail: TailModel, inputs: readonly TailInput[]): Promise<Float32Array[]> {
  const { blocks } = tail.description;
  if (tail.layer === blocks - 1) return inputs.map(({ rows }) => rows);
  return (await tail.states(inputs, [residPost(blocks - 1)])).map(([rows]) => rows as Float32Array);
}

/**
 * Measures how final states answer to a small change of the states that enter: J with Δf ≈ J δ at the same position, on average over
 * the rows, by regression on random changes. What a change does to later positions is not in it.
 *
 * @param finals - of the inputs as they are
 * @param size - standard deviation of the change in each dimension
 */
export async function measureResponse(
  tail: TailModel,
  inputs: readonly TailInput[],
  { finals, size, random }: { finals: readonly Float32Array[]; size: number; random: Random },
): Promise<Matrix> {
  const { width } = tail.description;
  const moved = inputs.map(({ tokens, rows }) => ({
    tokens,
    // The first position is the large model's own and stays.
    rows: rows.map((value, at) => (at < width ? value : value + size * random.normal())),
  }));
  const answered = await readFinalStates(tail, moved);
  const sum = createMomentsSum(width, width);
  inputs.forEach(({ rows }, at) => {
    const minus = (a: Float32Array, b: Float32Array): Float32Array =>
      a.subarray(width).map((value, i) => value - (b[width + i] as number));
    sum.add(
      minus((moved[at] as TailInput).rows, rows),
      minus(answered[at] as Float32Array, finals[at] as Float32Array),
    );
  });
  return fitRidge(sum.view(), { lambda: responsePenalty }).A;
}

/** The changes are independent, so their covariance needs no help; this only keeps a few rows from being taken at their word. */
const responsePenalty = 0.02;
