import type { Matrix } from "../linalg/matrix.ts";
import { multiplyTransposed, transposedMultiply } from "../linalg/multiply.ts";
import { checkPairedRows } from "./check-paired-rows.ts";
import { anchorFunctions, type FunctionalSide, toFunctionalSide } from "./functional-basis.ts";
import { functionalLikeness, functionalOverlap } from "./functional-likeness.ts";
import { solveFunctionalMap } from "./functional-map.ts";
import { matchProfiles } from "./match-profiles.ts";
import type { Measure, MeasureOptions, PairingScore } from "./measure.ts";
import { permuteRows } from "./permute-rows.ts";
import { defaultAnchors, drawAnchors } from "./relative-rows.ts";

const common = { source: "arXiv 2406.14183", unchangedBy: "rotation, shift, common scale" } as const;

/** How strongly a map told at anchors must commute with the Laplacians: fitted on the embedded family for retrieval, where less and more find less. */
const alpha = 1;

/**
 * Functional maps as measures. The first two know every pair of rows, so that the map between the functions on the two neighbourhood graphs needs
 * no fit: C = Ψᵀ Φ, Φ and Ψ the graphs' smoothest functions at paired rows. The third is told anchors alone and must find the other rows.
 *
 * @see Fumero et al., "Latent Functional Maps", arXiv 2406.14183
 */
export const functionalMeasures: readonly Measure[] = [
  pairedMeasure({
    name: "functional-overlap",
    label: "shared smooth functions",
    says: "functions that vary slowly over the neighbourhoods of one side do so over those of the other",
    score: functionalOverlap,
  }),
  pairedMeasure({
    name: "functional-map",
    label: "functional map",
    says: "the map between functions on the two neighbourhood graphs keeps what is orthogonal so; chance is near 0.9, not 0",
    score: functionalLikeness,
  }),
  {
    ...common,
    name: "find-functional",
    label: "finding rows, functional map",
    says: "a row finds its counterpart among all rows of the other side by a functional map told at anchors: mean 1/rank",
    run: (X, Y, options) => prepareFinding(X, Y, options)(),
    prepare: prepareFinding,
  },
];

/** A measure of the map that all pairs of rows make. */
function pairedMeasure({
  score,
  ...words
}: Pick<Measure, "name" | "label" | "says"> & { readonly score: (C: Matrix) => number }): Measure {
  const prepare: Required<Measure>["prepare"] = (X, Y, { neighbours } = {}) => {
    checkPairedRows(X, Y, words.name);
    const [x, y] = [sideOf(X, { neighbours }), sideOf(Y, { neighbours })];
    return (order) => {
      if (isConstant(X) || isConstant(Y)) return Number.NaN;
      const to = order ? permuteRows(y.basis.functions, order) : y.basis.functions;
      return score(transposedMultiply(to, x.basis.functions));
    };
  };
  return { ...words, ...common, run: (X, Y, options) => prepare(X, Y, options)(), prepare };
}

function prepareFinding(X: Matrix, Y: Matrix, options: MeasureOptions = {}): PairingScore {
  const n = checkPairedRows(X, Y, "find-functional");
  const { anchors: count = defaultAnchors(n), anchorSeed = 0, neighbours } = options;
  const anchors = drawAnchors(n, count, anchorSeed);
  const [x, y] = [sideOf(X, { neighbours }), sideOf(Y, { neighbours })];
  const a = transposedMultiply(x.basis.functions, anchorFunctions(x, anchors));
  return (order) => {
    if (isConstant(X) || isConstant(Y)) return Number.NaN;
    const told = order ? anchors.map((row) => order[row] as number) : anchors;
    const b = transposedMultiply(y.basis.functions, anchorFunctions(y, told));
    const C = solveFunctionalMap(x.basis.values, y.basis.values, { a, b, alpha });
    const to = order ? permuteRows(y.basis.functions, order) : y.basis.functions;
    return matchProfiles(multiplyTransposed(x.basis.functions, C), to, anchors).reciprocalRank;
  };
}

/** True where all rows are one: there is nothing to tell them apart by. */
function isConstant({ rows, cols, data }: Matrix): boolean {
  for (let at = cols; at < rows * cols; at++) if (data[at] !== data[at % cols]) return false;
  return true;
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
