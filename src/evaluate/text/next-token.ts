import { mismatch } from "../../errors.ts";

/** What one row of logits says by itself. */
export interface ScoredRow {
  readonly logits: Float32Array;
  /** log Σ exp(logit), nats. */
  readonly normaliser: number;
  /** The likeliest token; the first of equals. */
  readonly top: number;
  /** −log p of the token that follows, nats; `undefined` where none does. */
  readonly loss: number | undefined;
}

/** Row `at` of logits `[rows, vocabulary]`, as a view. */
export function logitRow(logits: Float32Array, at: number, vocabulary: number): Float32Array {
  return logits.subarray(at * vocabulary, (at + 1) * vocabulary);
}

/**
 * Finds a row's normaliser, likeliest token and loss.
 *
 * @throws engine if the logits are not finite, which a steering far too strong brings about
 */
export function scoreRow(logits: Float32Array, next: number | undefined): ScoredRow {
  let top = 0;
  for (let v = 1; v < logits.length; v++) if (logits[v]! > logits[top]!) top = v;
  const peak = logits[top]!;
  let sum = 0;
  for (let v = 0; v < logits.length; v++) sum += Math.exp(logits[v]! - peak);
  const normaliser = peak + Math.log(sum);
  if (!Number.isFinite(normaliser))
    throw mismatch("engine", "logits", "finite numbers", "NaN or infinity", {
      hint: "the steering is too strong for the model's number format: try a smaller strength",
    });
  return { logits, normaliser, top, loss: next === undefined ? undefined : normaliser - logits[next]! };
}

/** KL(p ‖ q) = Σ p (log p − log q) of two rows over one vocabulary, nats. 0 for equal rows, exactly. */
export function klDivergence(p: ScoredRow, q: ScoredRow): number {
  let sum = 0;
  for (let v = 0; v < p.logits.length; v++) {
    const logit = p.logits[v]!;
    sum += Math.exp(logit - p.normaliser) * (logit - q.logits[v]!);
  }
  // Rounding alone can take it below 0.
  return Math.max(0, sum - p.normaliser + q.normaliser);
}
