import type { Moments } from "../moments.ts";
import { diagnoseSource, type SourceDiagnosis } from "./diagnose-source.ts";
import { type Affine, fitRidgePath } from "./fit-ridge.ts";

/** An ordinary least-squares map and what its rows could tell. */
export interface OlsFit extends Affine {
  readonly diagnosis: SourceDiagnosis;
}

/**
 * Fits ordinary least squares, whatever the rank of the source: minimises Σ‖y − A x − p‖².
 *
 * Where several maps fit equally well (a constant or a duplicated dimension, fewer rows than dimensions) it is the one of smallest
 * Σᵢⱼ (Aᵢⱼ sⱼ)², s the standard deviations: the limit of {@link fitRidge} as λ falls to 0, and the same whatever the units of a
 * dimension. The diagnosis says which dimensions were constant or dependent. A `[dTarget, dSource]`, p `[dTarget]`.
 *
 * Coefficients are exact to about condition · 2⁻⁵² of the largest. Directions that vary less than 10⁻⁷ times as much as the strongest
 * are left out: moments are squares, and in a double of squares those directions have no digit left. With few rows a dimension the map
 * fits noise; prefer {@link fitRidge}.
 *
 * @throws bad-input if there are fewer than two rows or a value is not finite
 * @example
 * const { A, p, diagnosis } = fitOls(moments);
 * for (const warning of diagnosis.warnings) console.warn(warning);
 */
export function fitOls(moments: Moments): OlsFit {
  const path = fitRidgePath(moments);
  return { ...path.solve(0), diagnosis: diagnoseSource(moments, path.basis) };
}
