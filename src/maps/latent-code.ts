import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import type { Random } from "../linalg/random.ts";
import type { LatentWorldOptions } from "./latent-world.ts";

/** Codes of rows, of which few values are not 0: those of row i are `values[k]` in columns `indices[k]`, k from `offsets[i]` to `offsets[i + 1]`. */
export interface LatentCode {
  readonly rows: number;
  readonly cols: number;
  /** `[rows + 1]`. */
  readonly offsets: Int32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

/** How codes are drawn. */
export interface CodeLaw {
  /** Features of all kinds: universal, tokens, private. */
  readonly features: number;
  /** Which model alone has a feature, −1 for all, `[features]`. */
  readonly owners: readonly number[];
  /** By topic, the chance of each universal or private feature to be active; 0 for those of tokens. `[features]` each. */
  readonly chances: readonly Float64Array[];
  /** Where the tokens' features start, and the chance of each. */
  readonly firstToken: number;
  readonly tokenChances: Float64Array;
  readonly tokenAmplitude: number;
  readonly spread: number;
}

/** The law of the codes that the options of a world ask for. */
export function toCodeLaw(options: LatentWorldOptions): CodeLaw {
  const { features: F, active, exponent = 0, spread = 0.5, topics, tokens, models } = options;
  const vocabulary = tokens?.vocabulary ?? 0;
  const owners: number[] = new Array<number>(F + vocabulary).fill(-1);
  for (const [at, model] of models.entries())
    for (let k = 0; k < Math.round((model.private ?? 0) * F); k++) owners.push(at);
  const universal = toChances(F, active, exponent);
  const base = Float64Array.from(owners, (owner, f) => {
    if (f < F) return universal[f] as number;
    // Private features are as frequent as the universal ones, spread over their ranks.
    return owner < 0 ? 0 : (universal[(7 * (f - F - vocabulary)) % F] as number);
  });
  const count = topics?.count ?? 1;
  const strength = topics?.strength ?? 0;
  const chances = Array.from({ length: count }, (_, topic) =>
    base.map((chance, f) => Math.min(1, chance * (1 - strength + (f % count === topic ? strength * count : 0)))),
  );
  return {
    features: owners.length,
    owners,
    chances,
    firstToken: F,
    tokenChances: toShares(vocabulary, 1),
    tokenAmplitude: tokens?.amplitude ?? 0,
    spread,
  };
}

/** Chances ∝ rank^−exponent that sum to `active`, none above 1: what is cut off the frequent ones goes to the others. */
function toChances(count: number, active: number, exponent: number): Float64Array {
  const shares = toShares(count, exponent);
  let sure = 0;
  let left = 1;
  // Each pass makes the most frequent one certain where it would be more than that.
  while (sure < count && ((active - sure) * (shares[sure] as number)) / left >= 1) left -= shares[sure++] as number;
  return shares.map((share, f) => (f < sure ? 1 : Math.min(1, ((active - sure) * share) / left)));
}

function toShares(count: number, exponent: number): Float64Array {
  const shares = Float64Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent);
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => share / sum);
}

/**
 * Mean `[features]` and covariance `[features, features]` of a code, in closed form.
 *
 * Given the topic, features are independent: active with chance π, then of an amplitude of mean 1 and mean square 1 + spread²/3. So the covariance is
 * the mean over topics of the variances, on the diagonal, plus the covariance over topics of the means. A token's feature has exactly one
 * active member: diag(q) − q qᵀ times the squared amplitude.
 */
export function codeCovariance(law: CodeLaw): { readonly mean: Float64Array; readonly covariance: Matrix } {
  const { features: F, chances, spread, tokenChances, tokenAmplitude, firstToken } = law;
  const square = 1 + spread ** 2 / 3;
  const mean = new Float64Array(F);
  const S = createMatrix(F, F);
  for (const of of chances)
    for (let f = 0; f < F; f++) mean[f] = (mean[f] as number) + (of[f] as number) / chances.length;
  for (const of of chances) {
    const off = of.map((chance, f) => chance - (mean[f] as number));
    for (let f = 0; f < F; f++) {
      const chance = of[f] as number;
      S.data[f * F + f] = (S.data[f * F + f] as number) + (square * chance - chance ** 2) / chances.length;
      if (chances.length > 1)
        for (let g = 0; g < F; g++)
          S.data[f * F + g] =
            (S.data[f * F + g] as number) + ((off[f] as number) * (off[g] as number)) / chances.length;
    }
  }
  for (const [a, chance] of tokenChances.entries()) {
    const f = firstToken + a;
    mean[f] = tokenAmplitude * chance;
    for (const [b, other] of tokenChances.entries())
      S.data[f * F + firstToken + b] = tokenAmplitude ** 2 * ((a === b ? chance : 0) - chance * other);
  }
  return { mean, covariance: S };
}

/** Draws the codes, tokens and topics of n rows. */
export function openLatentCode(
  law: CodeLaw,
  n: number,
  random: Random,
): { readonly code: LatentCode; readonly tokens: Int32Array; readonly topics: Int32Array } {
  const { features: F, chances, spread, tokenChances, tokenAmplitude, firstToken } = law;
  const offsets = new Int32Array(n + 1);
  const indices: number[] = [];
  const values: number[] = [];
  const tokens = new Int32Array(n);
  const topics = new Int32Array(n);
  const lastToken = firstToken + tokenChances.length;
  for (let row = 0; row < n; row++) {
    const topic = chances.length > 1 ? random.integer(chances.length) : 0;
    const of = chances[topic] as Float64Array;
    const token = tokenChances.length > 0 ? drawFrom(tokenChances, random.uniform()) : 0;
    for (let f = 0; f < F; f++) {
      if (f >= firstToken && f < lastToken) {
        if (f !== firstToken + token) continue;
        indices.push(f);
        values.push(tokenAmplitude);
      } else if (random.uniform() < (of[f] as number)) {
        indices.push(f);
        values.push(1 + spread * (2 * random.uniform() - 1));
      }
    }
    offsets[row + 1] = indices.length;
    [tokens[row], topics[row]] = [token, topic];
  }
  const code = { rows: n, cols: F, offsets, indices: Int32Array.from(indices), values: Float32Array.from(values) };
  return { code, tokens, topics };
}

/** The place at which the running sum of chances passes u. */
function drawFrom(chances: Float64Array, u: number): number {
  let sum = 0;
  for (let at = 0; at < chances.length; at++) {
    sum += chances[at] as number;
    if (u < sum) return at;
  }
  return chances.length - 1;
}
