import type { Measure, MeasureOptions } from "../../compare/measure.ts";
import { permuteRows } from "../../compare/permute-rows.ts";
import type { ConfidenceInterval } from "../../evaluate/statistics.ts";
import type { Matrix } from "../../linalg/matrix.ts";

const parts = 10;
/** Student's t with 9 degrees of freedom, two-sided 95 %. */
const width = 2.262;

/**
 * 95 % interval of a measure, from leaving out a tenth of the documents at a time: `value ± t · √((g − 1)/g Σ (θᵢ − θ̄)²)`, g = 10.
 *
 * The bootstrap would draw rows twice, and a row that stands twice is its own nearest neighbour. Whole documents, since rows of one are not
 * independent. `null` where a part is not defined.
 *
 * @see Efron and Tibshirani 1993, "An Introduction to the Bootstrap", ch. 11
 */
export function jackknifeInterval(
  measure: Measure,
  {
    X,
    Y,
    documents,
    value,
  }: { readonly X: Matrix; readonly Y: Matrix; readonly documents: ArrayLike<number>; readonly value: number },
  options: MeasureOptions,
): ConfidenceInterval | null {
  const order = [...new Set(Array.from(documents))];
  if (order.length < parts) return null;
  const partOf = new Map(order.map((document, at) => [document, at % parts]));
  const values = Array.from({ length: parts }, (_, part) => {
    const { x, y } = without(X, Y, { documents, partOf, part });
    return measure.run(x, y, options);
  });
  const mean = values.reduce((sum, each) => sum + each, 0) / parts;
  const error = Math.sqrt(((parts - 1) / parts) * values.reduce((sum, each) => sum + (each - mean) ** 2, 0));
  return Number.isFinite(error) ? { low: value - width * error, high: value + width * error } : null;
}

/** Rows less one part, the same matrices for every measure: what one finds of them the next need not. */
const known = new WeakMap<Matrix, WeakMap<Matrix, Map<number, { readonly x: Matrix; readonly y: Matrix }>>>();

function without(
  X: Matrix,
  Y: Matrix,
  {
    documents,
    partOf,
    part,
  }: { readonly documents: ArrayLike<number>; readonly partOf: ReadonlyMap<number, number>; readonly part: number },
): { readonly x: Matrix; readonly y: Matrix } {
  const ofX = known.get(X) ?? new WeakMap<Matrix, Map<number, { readonly x: Matrix; readonly y: Matrix }>>();
  known.set(X, ofX);
  const ofPair = ofX.get(Y) ?? new Map<number, { readonly x: Matrix; readonly y: Matrix }>();
  ofX.set(Y, ofPair);
  const found = ofPair.get(part);
  if (found) return found;
  const kept = Array.from({ length: X.rows }, (_, i) => i).filter((i) => partOf.get(documents[i] as number) !== part);
  const made = { x: permuteRows(X, kept), y: permuteRows(Y, kept) };
  ofPair.set(part, made);
  return made;
}
