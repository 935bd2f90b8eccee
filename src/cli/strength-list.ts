import { mismatch } from "../errors.ts";
import { parseStrength, type StrengthUnit } from "../index.ts";

/** A grid of strengths in one unit. */
export interface StrengthList {
  readonly unit: StrengthUnit;
  readonly strengths: readonly number[];
}

/**
 * Reads strengths joined by commas, such as `0.25n,0.5n` or `-8,8`: all of one unit, each once, none 0.
 *
 * @throws usage naming the flag
 */
export function parseStrengthList(text: string, flag: string): StrengthList {
  const list = text.split(",").map(parseStrength);
  const unit = list[0]!.unit;
  const strengths = list.map(({ value }) => value);
  if (
    list.some((strength) => strength.unit !== unit || strength.value === 0) ||
    new Set(strengths).size < strengths.length
  )
    throw mismatch("usage", flag, "different strengths in one unit, none of them 0", text, {
      hint: "such as 0.25n,0.5n,0.75n; the unsteered model is always measured",
    });
  return { unit, strengths };
}
