import type { StrengthUnit } from "../../steer/strength.ts";

const labels: Readonly<Record<StrengthUnit, string>> = {
  rms: "strength (median row norms)",
  absolute: "strength (added length)",
  raw: "strength (times the vector)",
};

/** What a strength axis shows, in words. */
export function strengthLabel(unit: StrengthUnit): string {
  return labels[unit];
}
