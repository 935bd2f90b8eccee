import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiply, multiplyTransposed } from "../linalg/multiply.ts";
import { normalise, type OutputHead } from "./read-head.ts";

/** Cross-entropy of next tokens after final states, and where it falls. */
export interface HeadLoss {
  /** Mean over the rows, nats. */
  readonly lossNats: number;
  /** ∂ mean loss / ∂ final state, `[n, width]`. */
  readonly gradient: Matrix;
}

/**
 * Computes the cross-entropy of the next tokens under an output head, and its gradient by the final states: softmax, head and norm by the
 * chain rule, in float64.
 *
 * @param F - final states, `[n, width]`
 * @param next - the token that follows each, `[n]`
 */
export function headLoss({ norm, M, b }: OutputHead, F: Matrix, next: Int32Array): HeadLoss {
  const [n, d, vocabulary] = [F.rows, F.cols, M.rows];
  const Z = createMatrix(n, d);
  const lengths = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    const { z, length } = normalise(norm, F.data.subarray(row * d, (row + 1) * d));
    Z.data.set(z, row * d);
    lengths[row] = length;
  }
  const P = multiplyTransposed(Z, M);
  let lossNats = 0;
  for (let row = 0; row < n; row++) {
    const logits = P.data.subarray(row * vocabulary, (row + 1) * vocabulary);
    lossNats += toSoftmaxError(logits, b, next[row] as number) / n;
  }
  for (let at = 0; at < P.data.length; at++) P.data[at]! /= n;
  const gradient = multiply(P, M);
  for (let row = 0; row < n; row++) backThroughNorm(norm, gradient.data, Z.data, { row, d, length: lengths[row]! });
  return { lossNats, gradient };
}

/** Turns logits less bias into softmax − one-hot, in place, and returns −log p of the token. */
function toSoftmaxError(logits: Float64Array, b: Float64Array, token: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let v = 0; v < logits.length; v++) {
    const value = (logits[v] as number) + (b[v] as number);
    logits[v] = value;
    if (value > most) most = value;
  }
  const own = (logits[token] as number) - most;
  let sum = 0;
  for (let v = 0; v < logits.length; v++) sum += logits[v] = Math.exp((logits[v] as number) - most);
  for (let v = 0; v < logits.length; v++) logits[v]! /= sum;
  logits[token]! -= 1;
  return Math.log(sum) - own;
}

/** z = f / length: what runs along z changes the length and not z; of a centred norm, nor does the mean. */
function backThroughNorm(
  norm: OutputHead["norm"],
  gradient: Float64Array,
  Z: Float64Array,
  { row, d, length }: { row: number; d: number; length: number },
): void {
  let [along, sum] = [0, 0];
  for (let i = row * d; i < (row + 1) * d; i++) {
    along += gradient[i]! * Z[i]!;
    sum += gradient[i]!;
  }
  const mean = norm === "layer" ? sum / d : 0;
  for (let i = row * d; i < (row + 1) * d; i++) gradient[i] = (gradient[i]! - mean - (Z[i]! * along) / d) / length;
}
