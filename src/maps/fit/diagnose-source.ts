import { createMatrix, type Matrix } from "../../linalg/matrix.ts";
import type { Moments } from "../moments.ts";
import { decomposeSource, type SourceBasis } from "./fit-ridge.ts";
import { inverseDeviations } from "./inverse-deviations.ts";

/** What the rows of a source can and cannot tell about a map. */
export interface SourceDiagnosis {
  /** Independent directions among the source dimensions, in units of their standard deviations. */
  readonly rank: number;
  /** Largest over smallest eigenvalue of the correlation matrix; infinite where some combination never varied. */
  readonly condition: number;
  /** Dimensions that never varied. Their coefficients are 0. */
  readonly constant: readonly number[];
  /**
   * Dimensions that are, to rounding, linear combinations of the others: a smallest set whose removal leaves the rest independent. Their
   * share is spread over all that take part.
   */
  readonly dependent: readonly number[];
  /** The same in sentences; none where there is nothing to say. */
  readonly warnings: readonly string[];
}

/** Above this condition number least squares keeps fewer than eight digits of its coefficients. */
const wellConditioned = 1e8;
/** Dimensions named in a sentence. */
const maxNamed = 8;

/**
 * Tells which source dimensions are constant, which depend on others, and how many directions are left, from moments alone.
 *
 * Rank is decided on the correlation matrix, whose eigenvalues are squares: directions of the rows that vary less than about 10⁻⁷ times
 * as much as the strongest one, in units of standard deviations, cannot be told from rounding and count as absent. Which dimensions
 * depend on others is found by a Cholesky factorisation that takes the dimension with most left first.
 *
 * @throws bad-input if there are fewer than two rows or a value is not finite
 * @see Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 10.3
 */
export function diagnoseSource(moments: Moments, basis: SourceBasis = decomposeSource(moments)): SourceDiagnosis {
  const { n, meanX, Cxx } = moments;
  const { rank, condition } = basis;
  const inverse = inverseDeviations(Cxx, meanX, n);
  const constant = indices(inverse, (value) => value === 0);
  const varying = indices(inverse, (value) => value > 0);
  const dependent = rank < varying.length ? leastIndependent(Cxx, varying, rank) : [];
  const warnings: string[] = [];
  if (constant.length > 0) warnings.push(`${count(constant)} never varied and got no coefficients`);
  if (dependent.length > 0)
    warnings.push(
      `rank ${rank} of ${varying.length}: ${count(dependent)} depend on the others, so coefficients are those of smallest norm${
        n <= varying.length ? `; ${n} rows cannot determine more than ${Math.ceil(n) - 1} directions` : ""
      }`,
    );
  else if (condition > wellConditioned)
    warnings.push(
      `the source dimensions are nearly dependent (condition ${condition.toExponential(1)}): coefficients keep about ${Math.max(0, Math.floor(16 - Math.log10(condition)))} digits`,
    );
  return { rank, condition, constant, dependent, warnings };
}

function indices(values: Float64Array, test: (value: number) => boolean): number[] {
  return Array.from(values.keys()).filter((i) => test(values[i] as number));
}

function count(dimensions: readonly number[]): string {
  const named = dimensions.slice(0, maxNamed).join(", ");
  const rest = dimensions.length > maxNamed ? ", …" : "";
  return `${dimensions.length} source dimension${dimensions.length === 1 ? "" : "s"} (${named}${rest})`;
}

/** The dimensions left over when `rank` of those given have been taken, each time the one with the largest remaining share. */
function leastIndependent(C: Matrix, dimensions: readonly number[], rank: number): number[] {
  const m = dimensions.length;
  const at = (i: number, j: number): number =>
    C.data[(dimensions[i] as number) * C.cols + (dimensions[j] as number)] as number;
  const scale = dimensions.map((_, i) => 1 / Math.sqrt(at(i, i)));
  const left = new Float64Array(m).fill(1);
  const L = createMatrix(rank, m);
  const taken = new Set<number>();
  for (let k = 0; k < rank; k++) {
    let pivot = -1;
    for (let i = 0; i < m; i++)
      if (!taken.has(i) && (pivot < 0 || (left[i] as number) > (left[pivot] as number))) pivot = i;
    taken.add(pivot);
    const root = Math.sqrt(Math.max(left[pivot] as number, Number.MIN_VALUE));
    for (let i = 0; i < m; i++) {
      if (taken.has(i)) continue;
      let value = at(i, pivot) * (scale[i] as number) * (scale[pivot] as number);
      for (let t = 0; t < k; t++) value -= (L.data[t * m + i] as number) * (L.data[t * m + pivot] as number);
      L.data[k * m + i] = value / root;
      left[i] = (left[i] as number) - (value / root) ** 2;
    }
  }
  return dimensions.filter((_, i) => !taken.has(i));
}
