import { createMatrix, type Matrix, transpose } from "../linalg/matrix.ts";
import {
  addJointMoments,
  createJointSum,
  findBlock,
  type JointMoments,
  type JointPlan,
  subtractJointMoments,
} from "./joint-moments.ts";

/**
 * Everything a linear fit between two sites and its squared error need to know of n paired rows, whatever n: counts, means and centred
 * products (see {@link JointMoments}, of which this is the case of one source and one target).
 */
export interface Moments {
  /** Total weight of the rows; their number, unless rows were weighted. */
  readonly n: number;
  /** `[dSource]` */
  readonly meanX: Float64Array;
  /** `[dTarget]` */
  readonly meanY: Float64Array;
  /** Σ (x − x̄)(x − x̄)ᵀ, `[dSource, dSource]`. */
  readonly Cxx: Matrix;
  /** Σ (y − ȳ)(x − x̄)ᵀ, `[dTarget, dSource]`. */
  readonly Cyx: Matrix;
  /** Σ (y − ȳ)(y − ȳ)ᵀ, `[dTarget, dTarget]`. */
  readonly Cyy: Matrix;
}

/** Moments that grow. */
export interface MomentsSum {
  readonly n: number;
  /** Adds n rows: X `[n, dSource]`, Y `[n, dTarget]`. @throws bad-input if they are not whole rows, equally many */
  add(X: Float32Array, Y: Float32Array, weights?: Float64Array): void;
  /** What has been added so far, as a copy. */
  moments(): Moments;
  /** The same without copying: what is returned changes with the next rows. */
  view(): Moments;
}

const pairBlocks: JointPlan["blocks"] = [
  { row: 0, col: 0 },
  { row: 1, col: 0 },
  { row: 1, col: 1 },
];

/**
 * Opens an empty sum of moments for rows of two widths: {@link createJointSum} of one source and one target. Memory is
 * `dSource² + dSource · dTarget + dTarget²` doubles, whatever is added.
 */
export function createMomentsSum(dSource: number, dTarget: number): MomentsSum {
  const sum = createJointSum({ widths: [dSource, dTarget], blocks: pairBlocks });
  return {
    get n() {
      return sum.n;
    },
    add: (X, Y, weights) => sum.add([X, Y], weights),
    moments: () => toPairMoments(sum.moments(), 0, 1),
    view: () => toPairMoments(sum.view(), 0, 1),
  };
}

/** The moments of one source and one target site: a view, nothing is copied unless a block is kept the other way round. */
export function toPairMoments(joint: JointMoments, source: number, target: number): Moments {
  return {
    n: joint.n,
    meanX: joint.means[source] as Float64Array,
    meanY: joint.means[target] as Float64Array,
    Cxx: blockOf(joint, source, source),
    Cyx: blockOf(joint, target, source),
    Cyy: blockOf(joint, target, target),
  };
}

/** Means and cross products alone: what pairs without a relation differ in. */
export type CrossMoments = Pick<Moments, "n" | "meanX" | "meanY" | "Cyx">;

/**
 * The moments of several source sites, joined in the order given, and one target site: those of x = (x₁, x₂, …). A copy.
 *
 * @throws internal if a product of two of them was not kept
 */
export function toGroupMoments(joint: JointMoments, sources: readonly number[], target: number): Moments {
  if (sources.length === 1) return toPairMoments(joint, sources[0] as number, target);
  const { starts, width } = placesOf(joint, sources);
  const Cxx = createMatrix(width, width);
  sources.forEach((site, at) => {
    sources.forEach((other, to) => {
      place(Cxx, starts[at] as number, starts[to] as number, blockOf(joint, site, other));
    });
  });
  return { ...toGroupCross(joint, sources, target), Cxx, Cyy: blockOf(joint, target, target) };
}

/** The part of {@link toGroupMoments} that joins sources and target: all that is kept of shuffled pairs. */
export function toGroupCross(joint: JointMoments, sources: readonly number[], target: number): CrossMoments {
  const { starts, width } = placesOf(joint, sources);
  const meanX = new Float64Array(width);
  const meanY = joint.means[target] as Float64Array;
  const Cyx = createMatrix(meanY.length, width);
  sources.forEach((site, at) => {
    meanX.set(joint.means[site] as Float64Array, starts[at]);
    place(Cyx, 0, starts[at] as number, blockOf(joint, target, site));
  });
  return { n: joint.n, meanX, meanY, Cyx };
}

/** Where each source begins among the joined dimensions, and how many there are. */
function placesOf(
  { means }: JointMoments,
  sources: readonly number[],
): { readonly starts: readonly number[]; readonly width: number } {
  let width = 0;
  const starts = sources.map((site) => {
    const start = width;
    width += (means[site] as Float64Array).length;
    return start;
  });
  return { starts, width };
}

function blockOf(joint: JointMoments, row: number, col: number): Matrix {
  const { C, isTransposed } = findBlock(joint, row, col);
  return isTransposed ? transpose(C) : C;
}

/** Writes B into A with its corner at the given row and column. */
function place(A: Matrix, row: number, col: number, B: Matrix): void {
  for (let i = 0; i < B.rows; i++) A.data.set(B.data.subarray(i * B.cols, (i + 1) * B.cols), (row + i) * A.cols + col);
}

/** The diagonal of a matrix, `[min(rows, cols)]`: of Cyy, the sum of squares by dimension. */
export function diagonal(A: Matrix): Float64Array {
  return Float64Array.from({ length: Math.min(A.rows, A.cols) }, (_, i) => A.data[i * A.cols + i] as number);
}

/**
 * The moments of two sets of rows together. Shards merge so, in any order, to rounding.
 *
 * @throws bad-input if the widths differ
 */
export function addMoments(a: Moments, b: Moments): Moments {
  return toPairMoments(addJointMoments(toJoint(a), toJoint(b)), 0, 1);
}

/**
 * The moments of the rows of `whole` that are not in `part`: a fold left out of a cross-validation.
 *
 * @throws bad-input if the widths differ or `part` has more rows than `whole`
 */
export function subtractMoments(whole: Moments, part: Moments): Moments {
  return toPairMoments(subtractJointMoments(toJoint(whole), toJoint(part)), 0, 1);
}

function toJoint({ n, meanX, meanY, Cxx, Cyx, Cyy }: Moments): JointMoments {
  return {
    n,
    means: [meanX, meanY],
    blocks: [
      { row: 0, col: 0, C: Cxx },
      { row: 1, col: 0, C: Cyx },
      { row: 1, col: 1, C: Cyy },
    ],
  };
}
