import type { Random } from "../../linalg/random.ts";
import type { LabelledRows } from "../../vectors/logistic-rows.ts";
import { type FittedProbe, inner } from "./fit-probe.ts";
import { applyProbe } from "./probe.ts";

/** Draws a direction of this length uniformly, its threshold at the mean of rows whose labels it does not see. */
export function randomPlane(norm: number, rows: LabelledRows, random: Random): FittedProbe {
  const drawn = Float64Array.from({ length: rows.width }, () => random.normal());
  const scale = norm / Math.sqrt(inner(drawn, drawn));
  const weights = drawn.map((value) => value * scale);
  const scores = applyProbe({ weights, bias: 0 }, rows.data);
  return { weights, bias: -scores.reduce((sum, value) => sum + value, 0) / scores.length, centre: undefined };
}
