import { createMatrix } from "../../linalg/matrix.ts";
import { type TokenSums, tokenMean } from "../collect/token-sums.ts";
import type { Affine } from "../fit/fit-ridge.ts";
import type { TokenIdentityScore } from "./map-scores.ts";
import { type HeldPair, type Predict, predictAffine, scoreRows } from "./score-rows.ts";

export interface TokenIdentityOptions {
  /** Sites of the map, by position. */
  readonly sources: readonly number[];
  readonly target: number;
  /** Global means of the fitted rows: x joined over the sources, and y. */
  readonly meanX: Float64Array;
  readonly meanY: Float64Array;
  /** Map of the residuals about the token means; undefined where the token decides the whole state. */
  readonly residualMap: Affine | undefined;
}

/**
 * Scores what the current token alone explains of the target, and what the map explains beyond it.
 *
 * With m(t) the training means of token t in both models, the table predicts m_y(t); the map B, fitted on residuals y − m_y(t) and
 * x − m_x(t), adds B (x − m_x(t)). `beyond` = 1 − SSE of that/SSE of the table on held-out rows; tokens that the training rows lack get
 * the global means.
 */
export function scoreTokenIdentity(
  heldOut: readonly HeldPair[],
  tokens: TokenSums,
  { sources, target, meanX, meanY, residualMap }: TokenIdentityOptions,
): TokenIdentityScore {
  const known = new Map<number, { readonly x: Float64Array; readonly y: Float64Array }>();
  const fallback = { x: meanX, y: meanY };
  let unseen = 0;
  let rows = 0;
  for (const { tokens: ids } of heldOut)
    for (const token of ids) {
      rows++;
      if (!tokens.byToken.has(token)) unseen++;
      if (known.has(token)) continue;
      const y = tokenMean(tokens, token, target);
      const x = sources.flatMap((site) => [...(tokenMean(tokens, token, site) ?? [])]);
      known.set(token, y ? { x: Float64Array.from(x), y } : fallback);
    }
  const meansOf = (token: number) => known.get(token) as { readonly x: Float64Array; readonly y: Float64Array };

  const predictTable: Predict = ({ tokens: ids }) => {
    const result = createMatrix(ids.length, meanY.length);
    ids.forEach((token, row) => {
      result.data.set(meansOf(token).y, row * meanY.length);
    });
    return result;
  };
  const table = scoreRows(predictTable, heldOut, meanY);
  const shared = { table: table.r2, tokensSeen: tokens.byToken.size, unseenShare: unseen / rows };
  if (!residualMap || !(table.sse > 0)) return { ...shared, beyond: 0 };

  const predictResidual = predictAffine({ A: residualMap.A, p: new Float64Array(meanY.length) });
  const predictBoth: Predict = (window) => {
    const X = window.X.slice();
    window.tokens.forEach((token, row) => {
      const { x } = meansOf(token);
      for (let j = 0, at = row * x.length; j < x.length; j++, at++) X[at] = (X[at] as number) - (x[j] as number);
    });
    const result = predictTable(window);
    const beyond = predictResidual({ ...window, X }).data;
    for (let at = 0; at < beyond.length; at++) result.data[at] = (result.data[at] as number) + (beyond[at] as number);
    return result;
  };
  return { ...shared, beyond: 1 - scoreRows(predictBoth, heldOut, meanY).sse / table.sse };
}
