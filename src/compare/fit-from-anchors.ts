import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { seededRandom } from "../linalg/random.ts";
import { type Affine, decomposeSource, fitRidgePath, type RidgePath } from "../maps/fit/fit-ridge.ts";
import { createMomentsSum } from "../maps/moments.ts";
import { type AnchorPairs, fitFunctionalTransfer, predictRows, type TransferSides } from "./functional-transfer.ts";
import { permuteRows } from "./permute-rows.ts";

/**
 * Ways to a map from few pairs of rows: `affine`, a ridge on the pairs; `functional`, by a functional map and all unpaired rows; `corrected`, the functional
 * map's and a ridge on what it leaves of the pairs.
 */
export type AnchorWay = "affine" | "functional" | "corrected";

/** A map, with the penalties that held-out anchors chose. */
export interface AnchorFit extends Affine {
  readonly lambda: number;
  /** Of the functional map; `null` without one. */
  readonly alpha: number | null;
  /** R² on anchors that were left out, in the choice. */
  readonly heldOutR2: number;
}

const folds = 5;
/** A half decade apart at the ends nothing changes any more: 10⁻³ is least squares on any rows here, 10³ nearly the mean. */
const lambdas: readonly number[] = Array.from({ length: 13 }, (_, i) => 10 ** (-3 + i / 2));
/** From hardly any commuting with the Laplacians to nearly nothing else. */
const alphas: readonly number[] = [1, 10, 100, 1000];

/**
 * Fits maps from source to target rows of which only the anchors' pairing is known, in all three ways. Every penalty is chosen by five-fold
 * cross-validation over the anchors: what was left out takes no part in the functional map either.
 *
 * @throws bad-input for fewer than 5 anchors
 */
export function fitFromAnchors(
  sides: TransferSides,
  anchors: AnchorPairs,
  { seed }: { readonly seed: number },
): Readonly<Record<AnchorWay, AnchorFit>> {
  const m = anchors.x.length;
  if (m < folds) throw mismatch("bad-input", "anchors", `at least ${folds}`, String(m));
  const order = seededRandom(seed).shuffle(Int32Array.from({ length: m }, (_, i) => i));
  const basis = decomposeSource({ n: sides.X.rows, meanX: sides.meanX, Cxx: sides.Cxx });
  const [X, Y] = [permuteRows(sides.X, anchors.x), permuteRows(sides.Y, anchors.y)];
  const parts = Array.from({ length: folds }, (_, fold) => {
    const fit = order.filter((_, at) => at % folds !== fold);
    const held = order.filter((_, at) => at % folds === fold);
    const of = (rows: readonly number[], M: Matrix): Matrix => permuteRows(M, rows);
    const pairs = { x: fit.map((i) => anchors.x[i] as number), y: fit.map((i) => anchors.y[i] as number) };
    return { pairs, X: of(fit, X), Y: of(fit, Y), heldX: of(held, X), heldY: of(held, Y) };
  });
  const total = squaresAbout(Y);
  const r2 = (errors: readonly number[]): number => 1 - errors.reduce((sum, each) => sum + each, 0) / total;

  const affine = choose(
    lambdas.map((lambda) => ({ lambda, alpha: null })),
    parts.map((part) => {
      const path = pathOf(part.X, part.Y);
      return ({ lambda }: Penalties) => errorOf(path.solve(lambda), part.heldX, part.heldY);
    }),
    r2,
  );
  const functional = choose(
    alphas.flatMap((alpha) => lambdas.map((lambda) => ({ lambda, alpha }))),
    parts.map((part) => {
      const pathAt = remember((alpha: number) => fitFunctionalTransfer(sides, part.pairs, { alpha, basis }));
      return ({ lambda, alpha }: Penalties) => errorOf(pathAt(alpha as number).solve(lambda), part.heldX, part.heldY);
    }),
    r2,
  );
  const { alpha, lambda } = functional;
  const prior = fitFunctionalTransfer(sides, anchors, { alpha: alpha as number, basis }).solve(lambda);
  const corrected = choose(
    lambdas.map((each) => ({ lambda: each, alpha })),
    parts.map((part) => {
      const first = fitFunctionalTransfer(sides, part.pairs, { alpha: alpha as number, basis }).solve(lambda);
      const path = pathOf(part.X, residual(part.Y, predictRows(part.X, first)));
      return (penalties: Penalties) => errorOf(add(first, path.solve(penalties.lambda)), part.heldX, part.heldY);
    }),
    r2,
  );
  return {
    affine: { ...pathOf(X, Y).solve(affine.lambda), ...affine },
    functional: { ...prior, ...functional },
    corrected: { ...add(prior, pathOf(X, residual(Y, predictRows(X, prior))).solve(corrected.lambda)), ...corrected },
  };
}

interface Penalties {
  readonly lambda: number;
  readonly alpha: number | null;
}

/** The penalties of least squared error over what was left out, the later of equals. */
function choose(
  tried: readonly Penalties[],
  parts: readonly ((penalties: Penalties) => number)[],
  r2: (errors: readonly number[]) => number,
): Penalties & { readonly heldOutR2: number } {
  const scored = tried.map((penalties) => ({
    ...penalties,
    heldOutR2: r2(parts.map((errorAt) => errorAt(penalties))),
  }));
  return scored.reduce((a, b) => (b.heldOutR2 >= a.heldOutR2 ? b : a));
}

function pathOf(X: Matrix, Y: Matrix): RidgePath {
  const sum = createMomentsSum(X.cols, Y.cols);
  sum.add(Float32Array.from(X.data), Float32Array.from(Y.data));
  return fitRidgePath(sum.moments());
}

function errorOf(map: Affine, X: Matrix, Y: Matrix): number {
  const P = predictRows(X, map);
  return P.data.reduce((sum, value, at) => sum + (value - (Y.data[at] as number)) ** 2, 0);
}

function squaresAbout(Y: Matrix): number {
  const mean = new Float64Array(Y.cols);
  for (let at = 0; at < Y.data.length; at++)
    mean[at % Y.cols] = (mean[at % Y.cols] as number) + (Y.data[at] as number) / Y.rows;
  return Y.data.reduce((sum, value, at) => sum + (value - (mean[at % Y.cols] as number)) ** 2, 0);
}

function residual(Y: Matrix, P: Matrix): Matrix {
  return createMatrix(
    Y.rows,
    Y.cols,
    Y.data.map((value, at) => value - (P.data[at] as number)),
  );
}

function add(a: Affine, b: Affine): Affine {
  return {
    A: createMatrix(
      a.A.rows,
      a.A.cols,
      a.A.data.map((value, at) => value + (b.A.data[at] as number)),
    ),
    p: a.p.map((value, at) => value + (b.p[at] as number)),
  };
}

function remember<T>(compute: (key: number) => T): (key: number) => T {
  const known = new Map<number, T>();
  return (key) => {
    const found = known.get(key) ?? compute(key);
    known.set(key, found);
    return found;
  };
}
