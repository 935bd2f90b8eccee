/** Sums of states by token id, over all sites that were read: what knowing the current token alone says about a state. */
export interface TokenSums {
  /** Widths by site. */
  readonly widths: readonly number[];
  /** Weight and sums by token id; sums hold the sites one after another, `[Σ widths]`. */
  readonly byToken: ReadonlyMap<number, TokenSum>;
}

export interface TokenSum {
  /** Total weight of the rows; their number, unless rows were weighted. */
  readonly n: number;
  readonly sums: Float64Array;
}

/** Token sums that grow. */
export interface GrowingTokenSums {
  /** Adds rows: token ids `[n]`, states by site `[n, width]`, weights or none. */
  add(tokens: Int32Array, states: readonly Float32Array[], weights: Float64Array | undefined): void;
  /** What has been added so far; it changes with the next rows. */
  view(): TokenSums;
}

/**
 * Opens sums of states by token id, empty or going on from `start`.
 *
 * Memory is 8 · Σ widths bytes a token seen, up to `maxBytes`; tokens first seen after that are treated like unseen ones. As
 * frequent tokens come early, those are the rare ones.
 */
export function createTokenSums(widths: readonly number[], maxBytes: number, start?: TokenSums): GrowingTokenSums {
  const total = widths.reduce((sum, width) => sum + width, 0);
  const maxTokens = Math.floor(maxBytes / (8 * total));
  const byToken = new Map<number, { n: number; readonly sums: Float64Array }>();
  for (const [token, { n, sums }] of start?.byToken ?? []) byToken.set(token, { n, sums: sums.slice() });
  return {
    add(tokens, states, weights) {
      tokens.forEach((token, row) => {
        let entry = byToken.get(token);
        if (!entry) {
          if (byToken.size >= maxTokens) return;
          entry = { n: 0, sums: new Float64Array(total) };
          byToken.set(token, entry);
        }
        const weight = weights ? (weights[row] as number) : 1;
        entry.n += weight;
        addRow(entry.sums, states, widths, row, weight);
      });
    },
    view: () => ({ widths, byToken }),
  };
}

function addRow(
  sums: Float64Array,
  states: readonly Float32Array[],
  widths: readonly number[],
  row: number,
  weight: number,
): void {
  let at = 0;
  for (let site = 0; site < widths.length; site++) {
    const width = widths[site] as number;
    const rows = states[site] as Float32Array;
    for (let i = row * width; i < (row + 1) * width; i++, at++)
      sums[at] = (sums[at] as number) + weight * (rows[i] as number);
  }
}

/** The sums of two sets of rows together, up to `maxBytes` as in {@link createTokenSums}. */
export function addTokenSums(a: TokenSums, b: TokenSums, maxBytes: number): TokenSums {
  const total = a.widths.reduce((sum, width) => sum + width, 0);
  const maxTokens = Math.floor(maxBytes / (8 * total));
  const byToken = new Map(a.byToken);
  for (const [token, { n, sums }] of b.byToken) {
    const own = byToken.get(token);
    if (own) byToken.set(token, { n: own.n + n, sums: own.sums.map((value, i) => value + (sums[i] as number)) });
    else if (byToken.size < maxTokens) byToken.set(token, { n, sums });
  }
  return { widths: a.widths, byToken };
}

/** Mean state of a token at one site, `[width]`; undefined for a token that was not seen. */
export function tokenMean({ widths, byToken }: TokenSums, token: number, site: number): Float64Array | undefined {
  const entry = byToken.get(token);
  if (!entry) return undefined;
  let start = 0;
  for (let before = 0; before < site; before++) start += widths[before] as number;
  return entry.sums.slice(start, start + (widths[site] as number)).map((value) => value / entry.n);
}
