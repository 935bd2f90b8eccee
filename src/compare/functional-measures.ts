import type { Matrix } from "../linalg/matrix.ts";
import { multiplyTransposed, transposedMultiply } from "../linalg/multiply.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { anchorFunctions, type FunctionalSide, toFunctionalSide } from "./functional-basis.ts";
import { functionalLikeness } from "./functional-likeness.ts";
import { solveFunctionalMap } from "./functional-map.ts";
import { matchProfiles } from "./match-profiles.ts";
import type { Measure, MeasureOptions } from "./measure.ts";
import { permuteRows } from "./permute-rows.ts";
import { defaultAnchors, drawAnchors } from "./relative-rows.ts";

/** How strongly the map must commute with the Laplacians when it judges likeness: weak enough that wrong anchors show. */
const alpha = 1;

/**
 * Functional maps as measures: how near the map between the functions on the two neighbourhood graphs is to that of two equal shapes, and how
 * often it finds a row's counterpart.
 *
 * @see Fumero et al., "Latent Functional Maps", arXiv 2406.14183
 */
export const functionalMeasures: readonly Measure[] = [
  functionalMeasure({
    name: "functional-map",
    label: "functional map",
    says: "A map between the functions on the two neighbourhood graphs, told at anchors, keeps what is orthogonal so: the graphs have one shape.",
    score: ({ C }) => functionalLikeness(C),
  }),
  functionalMeasure({
    name: "find-functional",
    label: "finding rows, functional map",
    says: "Mean 1/rank of a row's own counterpart among all rows of the other model, by a functional map told at anchors.",
    score: ({ C, from, to, anchors }) => matchProfiles(multiplyTransposed(from, C), to, anchors).reciprocalRank,
  }),
];

interface Mapped {
  /** Functions of X to functions of Y, `[kY, kX]`. */
  readonly C: Matrix;
  /** Values of the basis functions at the rows, `[n, k]`, paired. */
  readonly from: Matrix;
  readonly to: Matrix;
  readonly anchors: Int32Array;
}

function functionalMeasure({
  score,
  ...words
}: Pick<Measure, "name" | "label" | "says"> & { readonly score: (mapped: Mapped) => number }): Measure {
  const prepare: Required<Measure>["prepare"] = (X, Y, options = {}) => {
    const n = checkPairedRows(X, Y, words.name);
    const { anchors: count = defaultAnchors(n), anchorSeed = 0, neighbours } = options;
    const anchors = drawAnchors(n, count, anchorSeed);
    const [x, y] = [sideOf(X, { neighbours }), sideOf(Y, { neighbours })];
    const a = transposedMultiply(x.basis.functions, anchorFunctions(x, anchors));
    return (order) => {
      const told = order ? anchors.map((row) => order[row] as number) : anchors;
      const b = transposedMultiply(y.basis.functions, anchorFunctions(y, told));
      if (isZero(a) || isZero(b)) return Number.NaN;
      const C = solveFunctionalMap(x.basis.values, y.basis.values, { a, b, alpha });
      const to = order ? permuteRows(y.basis.functions, order) : y.basis.functions;
      return score({ C, from: x.basis.functions, to, anchors });
    };
  };
  return {
    ...words,
    source: "arXiv 2406.14183",
    unchangedBy: "rotation, shift, common scale",
    run: (X, Y, options) => prepare(X, Y, options)(),
    prepare,
  };
}

function isZero({ data }: Matrix): boolean {
  return data.every((value) => value === 0);
}

/** Bases of sides that are still in use: both measures ask for the same, and it takes a second. */
const known = new WeakMap<Matrix, Map<number | undefined, FunctionalSide>>();

function sideOf(X: Matrix, { neighbours }: Pick<MeasureOptions, "neighbours">): FunctionalSide {
  const ofRows = known.get(X) ?? new Map<number | undefined, FunctionalSide>();
  known.set(X, ofRows);
  const found = ofRows.get(neighbours) ?? toFunctionalSide(X, { neighbours });
  ofRows.set(neighbours, found);
  return found;
}
