import type { LayerAddition } from "../engine/open-model.ts";
import { formatSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { checkSteeringVector, type Direction, type SteeringVector, vectorNorm } from "../vectors/steering-vector.ts";
import type { StrengthUnit } from "./strength.ts";

export interface SteerOptions {
  /** α; negative reverses, 0 steers nothing. */
  readonly strength: number;
  /** Default `absolute`. */
  readonly unit?: StrengthUnit;
  /** Steers only at these layers of the vector. Default all of them. */
  readonly layers?: readonly number[] | undefined;
}

/**
 * Turns a vector and a strength α into what is added to every row: at each site, `absolute` α v/‖v‖, `rms` α m v/‖v‖ with m the
 * median row norm of that site, `raw` α v.
 *
 * A vector with several sites gets α at **each** of them in that site's own unit: the additions accumulate along the residual stream, so
 * n layers want about 1/n to 1/√n of the strength of one. A strength of 0 gives additions of zeros, which is the unsteered model.
 *
 * @throws bad-input for a strength that is not finite, a vector of length 0, layers the vector does not have, and `rms` if the vector does
 *   not know its median norm
 */
export function toAdditions(
  vector: SteeringVector,
  { strength, unit = "absolute", layers }: SteerOptions,
): LayerAddition[] {
  checkSteeringVector(vector);
  if (!Number.isFinite(strength)) throw mismatch("bad-input", "strength", "a finite number", String(strength));
  return chooseDirections(vector, layers).map((direction) => {
    const factor = strength * unitFactor(direction, unit);
    const values = direction.vector.map((value) => factor * value);
    if (values.some((value) => !Number.isFinite(value)))
      throw mismatch("bad-input", "strength", "one whose vector a float can hold", String(strength));
    return { layer: direction.site.layer, vector: values };
  });
}

function chooseDirections({ directions }: SteeringVector, layers: readonly number[] | undefined): readonly Direction[] {
  if (layers === undefined) return directions;
  const known = directions.map(({ site }) => site.layer);
  const unknown = layers.filter((layer) => !known.includes(layer));
  if (unknown.length > 0 || layers.length === 0)
    throw mismatch(
      "bad-input",
      "layers",
      `some of ${known.join(", ")}, which the vector has`,
      layers.join(", ") || "none",
    );
  return directions.filter(({ site }) => layers.includes(site.layer));
}

/** What strength 1 multiplies the direction by. */
function unitFactor({ site, vector, medianNorm }: Direction, unit: StrengthUnit): number {
  const norm = vectorNorm(vector);
  if (norm === 0)
    throw mismatch("bad-input", `vector at ${formatSite(site)}`, "a length above 0", "0", {
      hint: "it would change nothing; was a vector subtracted from itself?",
    });
  if (unit === "raw") return 1;
  if (unit === "absolute") return 1 / norm;
  if (medianNorm === undefined)
    throw mismatch("bad-input", `vector at ${formatSite(site)}`, "a known median row norm", "none", {
      hint: "files of other programs do not carry it; give an absolute strength (8) or a factor (1.5x)",
    });
  return medianNorm / norm;
}
