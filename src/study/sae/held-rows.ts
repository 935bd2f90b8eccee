import { mismatch } from "../../errors.ts";
import { bootstrapIntervals } from "../../evaluate/bootstrap.ts";
import type { ConfidenceInterval } from "../../evaluate/statistics.ts";
import type { Collection } from "../../maps/collect/collection.ts";

/** The rows of one site that neither maps nor autoencoders learned from. */
export interface HeldRows {
  /** `[n, width]`. */
  readonly rows: Float32Array;
  readonly width: number;
  /** `[n]`: windows that are drawn together, numbered from 0. */
  readonly groups: Int32Array;
  readonly groupCount: number;
}

/** What is explained of rows, over all of them together, with a 95 % interval over groups of windows. */
export interface Explained {
  readonly value: number;
  readonly interval: ConfidenceInterval | null;
}

/** Takes a site's held-out rows from a collection; sites are numbered sources first. @throws bad-input if there are none */
export function heldRowsOf({ heldOut }: Pick<Collection, "heldOut">, site: number, width: number): HeldRows {
  const count = heldOut.reduce((sum, { tokens }) => sum + tokens.length, 0);
  if (count === 0) throw mismatch("bad-input", "held-out rows", "at least one", "none", { hint: "read more text" });
  const rows = new Float32Array(count * width);
  const groups = new Int32Array(count);
  const numbers = new Map<number, number>();
  let at = 0;
  for (const { states, group, tokens } of heldOut) {
    if (!numbers.has(group)) numbers.set(group, numbers.size);
    rows.set(states[site]!, at * width);
    groups.fill(numbers.get(group)!, at, at + tokens.length);
    at += tokens.length;
  }
  return { rows, width, groups, groupCount: numbers.size };
}

/** Squared errors and squared distances from the mean row, by group. */
function squaresByGroup({ rows, width, groups, groupCount }: HeldRows, made: Float32Array) {
  const mean = new Float64Array(width);
  for (let at = 0; at < rows.length; at++) mean[at % width] = mean[at % width]! + rows[at]! / groups.length;
  const [errors, distances] = [new Float64Array(groupCount), new Float64Array(groupCount)];
  for (const [i, group] of groups.entries())
    for (let t = 0; t < width; t++) {
      const value = rows[i * width + t]!;
      errors[group] = errors[group]! + (value - made[i * width + t]!) ** 2;
      distances[group] = distances[group]! + (value - mean[t]!) ** 2;
    }
  return { errors, distances };
}

/** Explained variance, 1 − FVU, of reconstructions `[n, width]`: below 0 where the mean row would have been nearer. */
export function explainedVariance(held: HeldRows, made: Float32Array): number {
  const { errors, distances } = squaresByGroup(held, made);
  return 1 - sum(errors) / sum(distances);
}

/** The same with its interval. */
export function explainedWithInterval(held: HeldRows, made: Float32Array, seed: number): Explained {
  const { errors, distances } = squaresByGroup(held, made);
  const [interval] = bootstrapIntervals(
    held.groupCount,
    (groups) => [1 - sumOver(errors, groups) / sumOver(distances, groups)],
    { seed },
  );
  return { value: 1 - sum(errors) / sum(distances), interval: interval! };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function sumOver(values: Float64Array, numbers: Int32Array): number {
  let total = 0;
  for (const i of numbers) total += values[i]!;
  return total;
}
