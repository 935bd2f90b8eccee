import { mismatch } from "../errors.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { multiplyTransposed } from "../linalg/multiply.ts";
import { seededRandom } from "../linalg/random.ts";
import { type Affine, decomposeSource, fitRidgePath, type RidgePath } from "../maps/fit/fit-ridge.ts";
import { scaleColumns } from "../maps/fit/solve-ridge.ts";
import { createMomentsSum } from "../maps/moments.ts";
import {
  type AnchorPairs,
  checkAnchors,
  fitFunctionalTransfer,
  predictRows,
  type TransferSides,
} from "./functional-transfer.ts";
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
  checkAnchors(sides, anchors, folds);
  const order = seededRandom(seed).shuffle(Int32Array.from({ length: m }, (_, i) => i));
  const basis = decomposeSource({ n: sides.X.rows, meanX: sides.meanX, Cxx: sides.Cxx });
  const [X, Y] = [permuteRows(sides.X, anchors.x), permuteRows(sides.Y, anchors.y)];
  const total = squaresAbout(Y);
  const parts = splitPairs(order, X, Y).map((fold) => ({
    ...fold,
    pairs: { x: fold.fit.map((i) => anchors.x[i] as number), y: fold.fit.map((i) => anchors.y[i] as number) },
  }));
  const affine = chooseAffine(parts, total);
  const functional = choose(
    alphas.flatMap((alpha) => lambdas.map((lambda) => ({ lambda, alpha }))),
    parts.map((part) => {
      const errorsAt = remember((alpha: number) =>
        errorsOf(fitFunctionalTransfer(sides, part.pairs, { alpha, basis }), part.heldX, part.heldY),
      );
      return ({ lambda, alpha }: Penalties) => errorsAt(alpha as number)(lambda);
    }),
    total,
  );
  const { alpha, lambda } = functional;
  const prior = fitFunctionalTransfer(sides, anchors, { alpha: alpha as number, basis }).solve(lambda);
  const corrected = choose(
    lambdas.map((each) => ({ lambda: each, alpha })),
    parts.map((part) => {
      const first = fitFunctionalTransfer(sides, part.pairs, { alpha: alpha as number, basis }).solve(lambda);
      const path = pathOf(part.X, residual(part.Y, predictRows(part.X, first)));
      const errorAt = errorsOf(path, part.heldX, residual(part.heldY, predictRows(part.heldX, first)));
      return (penalties: Penalties) => errorAt(penalties.lambda);
    }),
    total,
  );
  return {
    affine: { ...pathOf(X, Y).solve(affine.lambda), ...affine },
    functional: { ...prior, ...functional },
    corrected: { ...add(prior, pathOf(X, residual(Y, predictRows(X, prior))).solve(corrected.lambda)), ...corrected },
  };
}

/** A ridge on paired rows, its penalty chosen by five-fold cross-validation as that of the anchors is. @throws bad-input for fewer than 5 rows */
export function fitAffineByFolds(X: Matrix, Y: Matrix, { seed }: { readonly seed: number }): AnchorFit {
  if (X.rows < folds) throw mismatch("bad-input", "rows", `at least ${folds}`, String(X.rows));
  const order = seededRandom(seed).shuffle(Int32Array.from({ length: X.rows }, (_, i) => i));
  const parts = splitPairs(order, X, Y);
  const chosen = chooseAffine(parts, squaresAbout(Y));
  return { ...pathOf(X, Y).solve(chosen.lambda), ...chosen };
}

/** Rows to fit on and rows left out, once for every fold. */
interface Fold {
  /** Places that are fitted on. */
  readonly fit: readonly number[];
  readonly X: Matrix;
  readonly Y: Matrix;
  readonly heldX: Matrix;
  readonly heldY: Matrix;
}

function splitPairs(order: readonly number[], X: Matrix, Y: Matrix): readonly Fold[] {
  return Array.from({ length: folds }, (_, fold) => {
    const fit = order.filter((_, at) => at % folds !== fold);
    const held = order.filter((_, at) => at % folds === fold);
    return {
      fit,
      X: permuteRows(X, fit),
      Y: permuteRows(Y, fit),
      heldX: permuteRows(X, held),
      heldY: permuteRows(Y, held),
    };
  });
}

function chooseAffine(parts: readonly Fold[], total: number): Penalties & { readonly heldOutR2: number } {
  return choose(
    lambdas.map((lambda) => ({ lambda, alpha: null })),
    parts.map((part) => {
      const errorAt = errorsOf(pathOf(part.X, part.Y), part.heldX, part.heldY);
      return ({ lambda }: Penalties) => errorAt(lambda);
    }),
    total,
  );
}

interface Penalties {
  readonly lambda: number;
  readonly alpha: number | null;
}

/** The penalties of least squared error over what was left out, the later of equals. */
function choose(
  tried: readonly Penalties[],
  parts: readonly ((penalties: Penalties) => number)[],
  total: number,
): Penalties & { readonly heldOutR2: number } {
  const scored = tried.map((penalties) => ({
    ...penalties,
    heldOutR2: 1 - parts.reduce((sum, errorAt) => sum + errorAt(penalties), 0) / total,
  }));
  return scored.reduce((a, b) => (b.heldOutR2 >= a.heldOutR2 ? b : a));
}

function pathOf(X: Matrix, Y: Matrix): RidgePath {
  const sum = createMomentsSum(X.cols, Y.cols);
  sum.add(Float32Array.from(X.data), Float32Array.from(Y.data));
  return fitRidgePath(sum.moments());
}

/** Squared error of a path's map on other rows, for any penalty: in components, without making the map. */
function errorsOf({ basis, G, meanX, meanY, filter }: RidgePath, X: Matrix, Y: Matrix): (lambda: number) => number {
  const centred = createMatrix(
    X.rows,
    X.cols,
    X.data.map((value, at) => value - (meanX[at % X.cols] as number)),
  );
  const Z = multiplyTransposed(centred, basis.W);
  return (lambda) => {
    const P = multiplyTransposed(scaleColumns(Z, filter(lambda)), G);
    return P.data.reduce(
      (sum, value, at) => sum + (value + (meanY[at % P.cols] as number) - (Y.data[at] as number)) ** 2,
      0,
    );
  };
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
