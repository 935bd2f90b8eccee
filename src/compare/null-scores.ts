import { mismatch } from "../errors.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { seededRandom } from "../linalg/random.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import type { Measure, MeasureOptions, PairingScore } from "./measure.ts";
import { permuteRows } from "./permute-rows.ts";
import { quantileOfSorted } from "./quantile.ts";

export interface NullScoresOptions extends MeasureOptions {
  /** How many shuffles of the rows are scored. Default 20: enough for a mean and a spread, not for a p below 1/21. */
  readonly shuffles?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Group of each row `[n]`, such as its document: rows then keep the company of their group, and whole groups are shuffled. */
  readonly groups?: ArrayLike<number> | undefined;
  /** Label of each row `[n]`, such as its token: rows then change places only with rows of the same label. Instead of `groups`. */
  readonly within?: ArrayLike<number> | undefined;
}

/** What a measure says of the rows as they are paired, and of the same rows paired at random. */
export interface NullScores {
  /** The score of the true pairing. */
  readonly value: number;
  /** The scores of random pairings, ascending, without those that were not defined. */
  readonly scores: Float64Array;
  readonly mean: number;
  /** Standard deviation, divisor m − 1. */
  readonly sd: number;
  readonly quantiles: { readonly q05: number; readonly q50: number; readonly q95: number };
  /** (value − mean)/sd: how many spreads of chance the value stands above it. `NaN` where chance has no spread. */
  readonly z: number;
  /** (1 + random pairings that score at least as high)/(1 + all): one-sided, never 0. */
  readonly p: number;
  readonly shuffles: number;
  readonly seed: number;
}

/**
 * Scores the rows as they are paired and as `shuffles` random permutations pair them: what the measure says where nothing but the two clouds of
 * rows themselves is alike.
 *
 * X `[n, dX]`, Y `[n, dY]`. A permutation test is exact where the rows are exchangeable, which neighbouring tokens of one text are not: give
 * `groups` to keep runs of rows together, or `within` to ask what is alike among rows that share a label anyway. A group's rows are then paired in their order with those of the next groups in a shuffled order, so
 * that what makes rows of one text alike stays in both sides of the null.
 *
 * @throws bad-input if the rows are not paired, a value is not finite, or shuffles is not a count of at least 1
 * @see Phipson and Smyth, "Permutation P-values should never be zero", arXiv 1603.05766
 */
export function nullScores(
  measure: Pick<Measure, "name" | "run" | "prepare">,
  X: Matrix,
  Y: Matrix,
  { shuffles = 20, seed = 0, groups, within, ...options }: NullScoresOptions = {},
): NullScores {
  if (!Number.isSafeInteger(shuffles) || shuffles < 1)
    throw mismatch("bad-input", "shuffles", "a count of at least 1", String(shuffles));
  const n = checkPairedRows(X, Y, measure.name);
  if (groups && groups.length !== n) throw mismatch("bad-input", "groups", `${n}, one a row`, String(groups.length));
  if (within && within.length !== n) throw mismatch("bad-input", "within", `${n}, one a row`, String(within.length));
  if (within && groups) throw mismatch("bad-input", "shuffles", "groups or within", "both");
  const score = measure.prepare?.(X, Y, options) ?? scoreEach(measure, X, Y, options);
  const random = seededRandom(seed);
  const draw = groups
    ? drawGroups(groups)
    : within
      ? drawWithin(within)
      : () => Int32Array.from(random.shuffle(rowsOf(n)));
  const value = score();
  const all = Float64Array.from({ length: shuffles }, () => score(draw(random)));
  const scores = all.filter((each) => !Number.isNaN(each)).sort();
  const m = scores.length;
  const mean = scores.reduce((sum, each) => sum + each, 0) / m;
  const sd = Math.sqrt(scores.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (m - 1));
  const above = scores.reduce((count, each) => count + (each >= value ? 1 : 0), 0);
  const at = (q: number): number => quantileOfSorted(scores, q);
  return {
    value,
    scores,
    mean,
    sd,
    quantiles: { q05: at(0.05), q50: at(0.5), q95: at(0.95) },
    z: sd > 0 ? (value - mean) / sd : Number.NaN,
    p: Number.isNaN(value) || m === 0 ? Number.NaN : (1 + above) / (1 + m),
    shuffles,
    seed,
  };
}

/** Row numbers 0 … n − 1. */
function rowsOf(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

/** Rows in the places of rows of the same label. */
function drawWithin(labels: ArrayLike<number>): (random: { shuffle<T>(values: ArrayLike<T>): T[] }) => Int32Array {
  const lists = [...membersOf(labels).values()];
  if (lists.every(({ length }) => length < 2))
    throw mismatch("bad-input", "within", "at least 2 rows of one label", "none");
  return (random) => {
    const order = rowsOf(labels.length);
    for (const list of lists)
      random.shuffle(list).forEach((row, at) => {
        order[list[at] as number] = row;
      });
    return order;
  };
}

/** Rows by label, in the order in which labels appear. */
function membersOf(labels: ArrayLike<number>): Map<number, number[]> {
  const members = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const of = labels[row] as number;
    const found = members.get(of);
    if (found) found.push(row);
    else members.set(of, [row]);
  }
  return members;
}

/** Rows of whole groups in a shuffled order of the groups: runs stay runs, only moved. */
function drawGroups(groups: ArrayLike<number>): (random: { shuffle<T>(values: ArrayLike<T>): T[] }) => Int32Array {
  const members = membersOf(groups);
  if (members.size < 2) throw mismatch("bad-input", "groups", "at least 2 to shuffle", String(members.size));
  const lists = [...members.values()];
  const places = lists.flat();
  return (random) => {
    const order = new Int32Array(groups.length);
    random
      .shuffle(lists)
      .flat()
      .forEach((row, at) => {
        order[places[at] as number] = row;
      });
    return order;
  };
}

/** A measure without {@link Measure.prepare}: every pairing copies the rows of Y and starts anew. */
function scoreEach(measure: Pick<Measure, "run">, X: Matrix, Y: Matrix, options: MeasureOptions): PairingScore {
  return (order) => measure.run(X, order ? permuteRows(Y, order) : Y, options);
}
