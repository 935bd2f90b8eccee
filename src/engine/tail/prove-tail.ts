import type { OpenModel } from "../open-model.ts";
import { residPost } from "../site.ts";
import type { TailProof } from "./tail-model.ts";

/** Tokens that are tried: several positions for rotary embeddings and attention to tell apart, few enough to cost nothing. */
const probeTokens = 24;
/** Every so many positions are compared, from the last on: a vocabulary of 262,144 then makes 8 MB of logits to be kept. */
const comparedEvery = 3;
/** Largest difference of logits that is let pass, as a share of the largest logit, or of 1. */
const tolerance = 1e-4;

/** What the whole model makes of a few tokens: what a tail must make of its states. */
export interface TailTruth {
  readonly tokens: Int32Array;
  /** After the layer, `[tokens, width]`. */
  readonly rows: Float32Array;
  /** Positions that are compared. */
  readonly positions: readonly number[];
  /** `[positions, vocabulary]`. */
  readonly logits: Float32Array;
  /** Multipliers of rows on their way in to be tried, likeliest first. */
  readonly scales: readonly number[];
}

/** Reads, from the whole model, what a tail after `layer` is compared with. */
export async function readTailTruth(whole: OpenModel, layer: number): Promise<TailTruth> {
  const { vocabulary, width, tokenizer, architecture } = whole.description;
  const length = Math.min(probeTokens, whole.context);
  // Spread over the vocabulary; the first is BOS where there is one.
  const tokens = Int32Array.from({ length }, (_, at) => Math.floor((((at * 7919 + 17) % 9973) / 9973) * vocabulary));
  if (tokenizer.addsBos && tokenizer.bos !== undefined) tokens[0] = tokenizer.bos;
  const positions = Array.from(
    { length: Math.ceil(length / comparedEvery) },
    (_, at) => length - 1 - at * comparedEvery,
  );
  const logits = (await whole.logits([tokens], { positions: [positions] }))[0]!;
  let rows: Float32Array = new Float32Array(0);
  for await (const { states } of whole.readStates([tokens], { sites: [residPost(layer)] })) rows = states[0]!;
  return { tokens, rows, positions, logits, scales: scalesOf(architecture, width) };
}

/** Gemma scales whatever enters by √width, tokens' embeddings or states; its later versions embeddings alone. */
function scalesOf(architecture: string, width: number): readonly number[] {
  const root = 1 / Math.sqrt(width);
  return architecture.startsWith("gemma") ? [root, 1] : [1, root];
}

/** Compares a tail's logits with the truth. */
export function compareLogits(found: Float32Array, truth: TailTruth, scale: number): TailProof {
  let [maxDifference, largestLogit] = [0, 0];
  truth.logits.forEach((expected, at) => {
    // Equal infinities differ by no number, and what is no number differs from everything.
    const difference = expected === found[at] ? 0 : Math.abs(expected - found[at]!);
    maxDifference = Math.max(maxDifference, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    if (Number.isFinite(expected)) largestLogit = Math.max(largestLogit, Math.abs(expected));
  });
  return { maxDifference, largestLogit, tokens: truth.tokens.length, scale };
}

/** Whether a tail does what the whole model does, up to rounding. */
export function isProven({ maxDifference, largestLogit }: TailProof): boolean {
  return maxDifference <= tolerance * Math.max(1, largestLogit);
}
