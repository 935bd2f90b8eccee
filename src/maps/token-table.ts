/** Mean state of both models for every token id seen. */
export interface TokenTable {
  /** Different tokens in the table. */
  readonly size: number;
  /** Mean source and target state of a token and the rows behind it; undefined for a token that is not in the table. */
  find(token: number): TokenMeans | undefined;
  entries(): Iterable<readonly [token: number, means: TokenMeans]>;
}

export interface TokenMeans {
  readonly n: number;
  /** `[dSource]` */
  readonly x: Float64Array;
  /** `[dTarget]` */
  readonly y: Float64Array;
}

/** Sums of states by token id that grow. */
export interface TokenSums {
  /** Adds n rows: their token ids `[n]`, X `[n, dSource]`, Y `[n, dTarget]`. */
  add(tokens: Int32Array, X: Float32Array, Y: Float32Array): void;
  table(): TokenTable;
}

interface Sum {
  n: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Opens sums of states by token id: what knowing the current token alone says about a state.
 *
 * Memory is 8 · (dSource + dTarget) bytes a token seen, up to `maxBytes`; tokens first seen after that are treated like unseen ones. As
 * frequent tokens come early, those are the rare ones.
 */
export function createTokenSums(dSource: number, dTarget: number, maxBytes: number): TokenSums {
  const sums = new Map<number, Sum>();
  const maxTokens = Math.floor(maxBytes / (8 * (dSource + dTarget)));
  return {
    add(tokens, X, Y) {
      tokens.forEach((token, row) => {
        let sum = sums.get(token);
        if (!sum) {
          if (sums.size >= maxTokens) return;
          sum = { n: 0, x: new Float64Array(dSource), y: new Float64Array(dTarget) };
          sums.set(token, sum);
        }
        sum.n++;
        addRow(sum.x, X, row);
        addRow(sum.y, Y, row);
      });
    },
    table() {
      const means = new Map<number, TokenMeans>();
      for (const [token, { n, x, y }] of sums)
        means.set(token, { n, x: x.map((value) => value / n), y: y.map((value) => value / n) });
      return { size: means.size, find: (token) => means.get(token), entries: () => means };
    },
  };
}

function addRow(sum: Float64Array, rows: Float32Array, row: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (rows[row * sum.length + i] as number);
}
