import { createMatrix } from "../../linalg/matrix.ts";
import { fitLogistic } from "../../vectors/fit-logistic.ts";

/**
 * Scores texts by their words alone: a logistic regression on which tokens occur in a text, whatever their order, fitted to the training
 * texts with penalty λ/2 ‖w‖² on 0 and 1 as they are.
 *
 * What no model is needed for. A probe of hidden states that does no better may only have read the tokens.
 *
 * @param texts - token ids of all texts
 * @returns scores (log-odds) of the texts `scored`
 */
export function scoreByTokens(
  texts: readonly Int32Array[],
  labels: Uint8Array,
  {
    trained,
    scored,
    lambda = 1,
  }: { readonly trained: Int32Array; readonly scored: Int32Array; readonly lambda?: number },
): Float64Array {
  const columns = new Map<number, number>();
  for (const i of trained) for (const token of texts[i]!) if (!columns.has(token)) columns.set(token, columns.size);
  const Z = createMatrix(trained.length, columns.size + 1);
  for (const [row, i] of trained.entries()) {
    for (const token of texts[i]!) Z.data[row * Z.cols + columns.get(token)!] = 1;
    Z.data[row * Z.cols + columns.size] = 1;
  }
  const w = fitLogistic(
    Z,
    Float64Array.from(trained, (i) => (labels[i] === 1 ? 1 : -1)),
    lambda,
  );
  return Float64Array.from(scored, (i) => {
    let score = w[columns.size]!;
    for (const token of new Set(texts[i]!)) score += w[columns.get(token) ?? -1] ?? 0;
    return score;
  });
}
