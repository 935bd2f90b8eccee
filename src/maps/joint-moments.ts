import { mismatch } from "../errors.ts";
import { addProduct, mirrorUpper } from "../linalg/kernel.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { toView } from "../linalg/multiply.ts";

/** Two sites whose product is kept, by position in the list of sites; `col` ≤ `row`. */
export interface BlockName {
  readonly row: number;
  readonly col: number;
}

/** One product of two sites: Σ w (a − ā)(b − b̄)ᵀ, `[width of row, width of col]`. */
export interface Block extends BlockName {
  readonly C: Matrix;
}

/**
 * Moments of rows that were read at many sites at once: everything that linear fits between those sites, and their squared errors,
 * need to know of n rows, whatever n.
 *
 * Products are about the means of these very rows, never about zero: hidden states have means tens of times their spread, and a
 * difference of two large sums would lose the digits that matter.
 */
export interface JointMoments {
  /** Total weight of the rows; their number, unless rows were weighted. */
  readonly n: number;
  /** Mean by site, `[width]` each. */
  readonly means: readonly Float64Array[];
  /** The products that were asked for, each pair of sites once. */
  readonly blocks: readonly Block[];
}

/** Which sites are summed and which of their products are kept. */
export interface JointPlan {
  readonly widths: readonly number[];
  readonly blocks: readonly BlockName[];
}

/** Joint moments that grow. */
export interface JointSum {
  readonly n: number;
  /**
   * Adds rows: for each site `[rows, width]`, and their weights, or none where all weigh 1.
   *
   * @throws bad-input if they are not whole rows, equally many, or a weight is not positive
   */
  add(states: readonly Float32Array[], weights?: Float64Array | undefined): void;
  /** What has been added so far, as a copy. */
  moments(): JointMoments;
  /** The same without copying: what is returned changes with the next rows. */
  view(): JointMoments;
}

/** Rows packed at a time: enough that reading and writing the blocks costs little beside the products, few enough to stay in cache. */
const packRows = 512;

/**
 * Opens an empty sum of joint moments, or one that goes on from `start`. Memory is that of the blocks, whatever is added.
 *
 * A batch enters as its own centred rows and one row more, √(n m/(n + m)) · (batch mean − mean so far): its product with itself is
 * the term by which two sums of squares about different means differ. Sums depend on how rows are cut into calls to rounding only; the
 * same calls in the same order give the same bits.
 *
 * @throws bad-input if `start` has other sites or blocks than the plan, or the plan names a site that is not there
 * @see Chan, Golub, LeVeque, "Algorithms for computing the sample variance", American Statistician 37 (1983)
 */
export function createJointSum(plan: JointPlan, start?: JointMoments): JointSum {
  const { widths } = plan;
  checkPlan(plan);
  if (start) checkSamePlan(plan, toPlan(start));
  let n = start?.n ?? 0;
  const means = widths.map((width, site) => start?.means[site]?.slice() ?? new Float64Array(width));
  const sums = plan.blocks.map((name, at) => {
    const [rows, cols] = [widths[name.row] as number, widths[name.col] as number];
    return { ...name, C: createMatrix(rows, cols, start?.blocks[at]?.C.data.slice()) };
  });

  function addBatch(states: readonly Float32Array[], weights: Float64Array | undefined, rows: number): void {
    const batch = weights ? weights.reduce((sum, weight) => sum + weight, 0) : rows;
    const shift = Math.sqrt((n * batch) / (n + batch));
    const packed = states.map((rowsOf, site) => pack(rowsOf, rows, weights, batch, means[site] as Float64Array, shift));
    const k = rows + 1;
    for (const { row, col, C } of sums) {
      const [a, b] = [packed[row] as Packed, packed[col] as Packed];
      addProduct(toView(C), toView(a.rows), toView(b.rows), { m: C.rows, n: C.cols, k }, { upper: row === col });
    }
    packed.forEach(({ mean }, site) => {
      const moved = means[site] as Float64Array;
      for (let i = 0; i < moved.length; i++)
        moved[i] =
          n === 0
            ? (mean[i] as number)
            : (moved[i] as number) + (((mean[i] as number) - (moved[i] as number)) * batch) / (n + batch);
    });
    n += batch;
  }

  const view = (): JointMoments => {
    // Only the upper half is summed; what stands below it is written here and never read by a sum.
    for (const { row, col, C } of sums) if (row === col) mirrorUpper(C.data, C.rows);
    return { n, means, blocks: sums };
  };

  return {
    get n() {
      return n;
    },
    view,
    add(states, weights) {
      const rows = checkRows(states, weights, widths);
      for (let from = 0; from < rows; from += packRows) {
        const to = Math.min(from + packRows, rows);
        const part = states.map((rowsOf, site) => {
          const width = widths[site] as number;
          return rowsOf.subarray(from * width, to * width);
        });
        addBatch(part, weights?.subarray(from, to), to - from);
      }
    },
    moments() {
      const { blocks } = view();
      return {
        n,
        means: means.map((mean) => mean.slice()),
        blocks: blocks.map(({ row, col, C }) => ({ row, col, C: createMatrix(C.rows, C.cols, C.data.slice()) })),
      };
    },
  };
}

interface Packed {
  /** Centred rows as columns `[width, rows + 1]`, times √weight; the last column is shift · (their mean − mean so far). */
  readonly rows: Matrix;
  /** Mean of these rows, `[width]`. */
  readonly mean: Float64Array;
}

function pack(
  rows: Float32Array,
  count: number,
  weights: Float64Array | undefined,
  total: number,
  meanSoFar: Float64Array,
  shift: number,
): Packed {
  const width = meanSoFar.length;
  const packed = createMatrix(width, count + 1);
  const mean = new Float64Array(width);
  for (let row = 0; row < count; row++) {
    const weight = weights ? (weights[row] as number) : 1;
    for (let i = 0; i < width; i++) mean[i] = (mean[i] as number) + weight * (rows[row * width + i] as number);
  }
  for (let i = 0; i < width; i++) mean[i] = (mean[i] as number) / total;
  for (let row = 0; row < count; row++) {
    const scale = weights ? Math.sqrt(weights[row] as number) : 1;
    for (let i = 0; i < width; i++)
      packed.data[i * (count + 1) + row] = scale * ((rows[row * width + i] as number) - (mean[i] as number));
  }
  // With nothing there yet the shift weighs nothing.
  for (let i = 0; i < width; i++)
    packed.data[i * (count + 1) + count] = shift * ((mean[i] as number) - (meanSoFar[i] as number));
  return { rows: packed, mean };
}

/**
 * The moments of two sets of rows together. Shards merge so, in any order, to rounding.
 *
 * @throws bad-input if the sites or blocks differ
 */
export function addJointMoments(a: JointMoments, b: JointMoments): JointMoments {
  checkSamePlan(toPlan(a), toPlan(b));
  return combine(a, b, 1);
}

/**
 * The moments of the rows of `whole` that are not in `part`: a fold left out of a cross-validation.
 *
 * @throws bad-input if the sites or blocks differ or `part` weighs more than `whole`
 */
export function subtractJointMoments(whole: JointMoments, part: JointMoments): JointMoments {
  checkSamePlan(toPlan(whole), toPlan(part));
  if (part.n > whole.n) throw mismatch("bad-input", "moments to subtract", `at most ${whole.n} rows`, `${part.n}`);
  return combine(whole, part, -1);
}

function combine(a: JointMoments, b: JointMoments, sign: 1 | -1): JointMoments {
  const n = a.n + sign * b.n;
  // Nothing on one side, or nothing left: means of no rows are zero by convention.
  if (b.n === 0) return a;
  if (a.n === 0) return b;
  if (n === 0) return createJointSum(toPlan(a)).moments();
  const weight = (sign * (a.n * b.n)) / n;
  const shifts = b.means.map((mean, site) => mean.map((value, i) => value - (a.means[site]?.[i] as number)));
  return {
    n,
    means: a.means.map((mean, site) =>
      mean.map((value, i) => value + (sign * b.n * (shifts[site]?.[i] as number)) / n),
    ),
    blocks: a.blocks.map(({ row, col, C }, at) => {
      const other = b.blocks[at] as Block;
      const [left, right] = [shifts[row] as Float64Array, shifts[col] as Float64Array];
      const data = new Float64Array(C.data.length);
      for (let i = 0; i < C.rows; i++) {
        const factor = weight * (left[i] as number);
        for (let j = 0; j < C.cols; j++) {
          const cell = i * C.cols + j;
          data[cell] = (C.data[cell] as number) + sign * (other.C.data[cell] as number) + factor * (right[j] as number);
        }
      }
      return { row, col, C: createMatrix(C.rows, C.cols, data) };
    }),
  };
}

/** The sites and blocks of some moments. */
export function toPlan({ means, blocks }: JointMoments): JointPlan {
  return { widths: means.map((mean) => mean.length), blocks: blocks.map(({ row, col }) => ({ row, col })) };
}

/**
 * The block of two sites, `[width of row, width of col]`, transposed if it is kept the other way round.
 *
 * @throws internal if it was not asked for
 */
export function findBlock(
  { blocks }: JointMoments,
  row: number,
  col: number,
): { readonly C: Matrix; readonly isTransposed: boolean } {
  const [late, early] = row >= col ? [row, col] : [col, row];
  const found = blocks.find((block) => block.row === late && block.col === early);
  if (!found) throw mismatch("internal", "internal: joint moments", `a block of sites ${late} and ${early}`, "none");
  return { C: found.C, isTransposed: row < col };
}

function checkPlan({ widths, blocks }: JointPlan): void {
  for (const { row, col } of blocks)
    if (col > row || !(row < widths.length) || !(col >= 0))
      throw mismatch(
        "bad-input",
        "joint moments",
        `blocks of ${widths.length} sites, the later one first`,
        `${row}, ${col}`,
      );
}

function checkSamePlan(a: JointPlan, b: JointPlan): void {
  const show = ({ widths, blocks }: JointPlan): string => `widths ${widths.join(", ")} and ${blocks.length} blocks`;
  const isSame =
    a.widths.length === b.widths.length &&
    a.widths.every((width, site) => width === b.widths[site]) &&
    a.blocks.length === b.blocks.length &&
    a.blocks.every(({ row, col }, at) => b.blocks[at]?.row === row && b.blocks[at]?.col === col);
  if (!isSame) throw mismatch("bad-input", "moments", show(a), show(b));
}

function checkRows(
  states: readonly Float32Array[],
  weights: Float64Array | undefined,
  widths: readonly number[],
): number {
  const rows = (states[0]?.length ?? 0) / (widths[0] ?? 1);
  const isWhole =
    Number.isInteger(rows) &&
    states.length === widths.length &&
    states.every((rowsOf, site) => rowsOf.length === rows * (widths[site] as number)) &&
    (weights === undefined || weights.length === rows);
  if (!isWhole)
    throw mismatch(
      "bad-input",
      "rows",
      `whole rows of ${widths.join(" and ")}, equally many`,
      `${states.map(({ length }) => length).join(" and ")} values`,
    );
  const bad = weights?.find((weight) => !(weight > 0 && Number.isFinite(weight)));
  if (bad !== undefined) throw mismatch("bad-input", "weights", "positive numbers", String(bad));
  return rows;
}
