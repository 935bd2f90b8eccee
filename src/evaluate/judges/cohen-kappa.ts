import { mismatch } from "../../errors.ts";
import { bootstrapIntervals } from "../bootstrap.ts";
import { type ConfidenceInterval, toFinite } from "../statistics.ts";
import type { Judgement } from "./judge.ts";

/** How two judges agree on the same samples. Plain data: JSON carries it. */
export interface JudgeAgreement {
  /** Samples that both answered. */
  readonly samples: number;
  /** Samples that one or both left without an answer. */
  readonly unanswered: number;
  /** Share of equal answers. `null` without samples. */
  readonly agreement: number | null;
  /** Cohen's κ: 1 for equal answers, 0 for what chance gives. `null` if a judge gave one answer only, both the same: chance agrees fully. */
  readonly kappa: number | null;
  /** 95 %, bootstrap over groups. */
  readonly interval: ConfidenceInterval | null;
  /** `[answer of the first][answer of the second]`, 0 and 1. */
  readonly counts: readonly [readonly [number, number], readonly [number, number]];
}

export interface CohenKappaOptions {
  /** Which samples belong together, such as the number of the prompt they answer: they are drawn together. Default each by itself. */
  readonly groups?: ArrayLike<number>;
  readonly resamples?: number;
  readonly seed: number;
}

/**
 * Cohen's κ of two judges, (pₒ − pₑ) / (1 − pₑ) with pₒ the share of equal answers and pₑ what independent judges of the same habits would
 * reach, over the samples that both answered.
 *
 * κ sinks where one answer is rare, whatever the judges are worth: read the counts beside it.
 *
 * @throws bad-input if the lists differ in length
 * @see Cohen 1960, "A coefficient of agreement for nominal scales"
 */
export function cohenKappa(
  a: readonly Judgement[],
  b: readonly Judgement[],
  { groups, seed, ...options }: CohenKappaOptions,
): JudgeAgreement {
  const n = a.length;
  if (b.length !== n) throw mismatch("bad-input", "cohenKappa", "two lists of one length", `${n} and ${b.length}`);
  if (groups && groups.length !== n)
    throw mismatch("bad-input", "cohenKappa groups", `${n} numbers`, String(groups.length));
  const tables = new Map<number, Counts>();
  let samples = 0;
  for (let i = 0; i < n; i++) {
    const [first, second] = [a[i], b[i]];
    if (first == null || second == null) continue;
    const group = groups?.[i] ?? i;
    const table = tables.get(group) ?? [0, 0, 0, 0];
    table[2 * first + second]! += 1;
    tables.set(group, table);
    samples++;
  }
  const units = [...tables.values()];
  const all = addCounts(units);
  const kappa = toFinite(kappaOf(all));
  const drawn = (numbers: Int32Array): number[] => [kappaOf(addCounts(Array.from(numbers, (at) => units[at]!)))];
  return {
    samples,
    unanswered: n - samples,
    agreement: toFinite((all[0] + all[3]) / samples),
    kappa,
    interval:
      kappa === null || units.length < 2 ? null : bootstrapIntervals(units.length, drawn, { seed, ...options })[0]!,
    counts: [
      [all[0], all[1]],
      [all[2], all[3]],
    ],
  };
}

/** Samples by answers 00, 01, 10, 11. */
type Counts = [number, number, number, number];

function addCounts(tables: readonly Counts[]): Counts {
  const sum: Counts = [0, 0, 0, 0];
  for (const table of tables) for (let k = 0; k < 4; k++) sum[k]! += table[k]!;
  return sum;
}

function kappaOf([none, second, first, both]: Counts): number {
  const n = none + second + first + both;
  const observed = (none + both) / n;
  const expected = ((none + second) * (none + first) + (first + both) * (second + both)) / n ** 2;
  return expected === 1 ? Number.NaN : (observed - expected) / (1 - expected);
}
