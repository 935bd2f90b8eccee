import { mean, standardDeviation, toFinite } from "../../evaluate/statistics.ts";
import type { SeededValue } from "./scale-result.ts";

/** Mean and standard deviation of what each seed gave; `null` and what is not finite are left out. */
export function toSeededValue(values: readonly (number | null | undefined)[]): SeededValue {
  const each = values.map((value) => toFinite(value ?? Number.NaN));
  const known = each.filter((value) => value !== null);
  return { value: toFinite(mean(known)), sd: toFinite(standardDeviation(known)), values: each };
}
