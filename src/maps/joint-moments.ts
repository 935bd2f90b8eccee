import { mismatch } from "../errors.ts";
import { addTransposedProduct, mirrorUpper } from "../linalg/kernel.ts";
import { createMatrix, type Matrix } from "../linalg/matrix.ts";
import { toView } from "../linalg/multiply.ts";
import type { View } from "../linalg/view.ts";

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
const mostPackedRows = 1024;
/** Values packed at a time over all sites, 256 MB; many sites of wide models take fewer rows. */
const mostPackedValues = 2 ** 25;

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
  const allWidths = widths.reduce((sum, width) => sum + width, 0);
  const packRows = Math.max(64, Math.min(mostPackedRows, Math.floor(mostPackedValues / allWidths)));
  if (start) checkSamePlan(plan, toPlan(start));
  let n = start?.n ?? 0;
  const means = widths.map((width, site) => start?.means[site]?.slice() ?? new Float64Array(width));
  const sums = plan.blocks.map((name, at) => {
    const [rows, cols] = [widths[name.row] as number, widths[name.col] as number];
    return { ...name, C: createMatrix(rows, cols, start?.blocks[at]?.C.data.slice()) };
  });

  const packed = widths.map((width) => ({ rows: new Float64Array(0), mean: new Float64Array(width) }));

  function addBatch(states: readonly Float32Array[], weights: Float64Array | undefined, rows: number): void {
    const batch = weights ? weights.reduce((sum, weight) => sum + weight, 0) : rows;
    const shift = Math.sqrt((n * batch) / (n + batch));
    const k = rows + 1;
    states.forEach((rowsOf, site) => {
      const room = packed[site] as Packed;
      const values = k * (widths[site] as number);
      if (room.rows.length < values) room.rows = new Float64Array(values);
      if (weights) packWeighted(room, rowsOf, weights, batch);
      else packPlain(room, rowsOf, rows);
      const [{ mean }, meanSoFar] = [room, means[site] as Float64Array];
      // With nothing there yet the shift weighs nothing.
      for (let i = 0, at = rows * mean.length; i < mean.length; i++, at++)
        room.rows[at] = shift * ((mean[i] as number) - (meanSoFar[i] as number));
    });
    for (const { row, col, C } of sums) {
      const [a, b] = [packed[row] as Packed, packed[col] as Packed].map(({ rows: data, mean }) => ({
        data,
        offset: 0,
        stride: mean.length,
      })) as [View, View];
      addTransposedProduct(toView(C), a, b, { m: C.rows, n: C.cols, k }, { upper: row === col });
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

/** Room for one site's batch. */
interface Packed {
  /** Centred rows times √weight, `[rows + 1, width]`; the last is shift · (their mean − mean so far). */
  rows: Float64Array;
  /** Mean of the batch, `[width]`. */
  readonly mean: Float64Array;
}

/** Packs rows that all weigh 1, four at a time: what is not in the products should cost little beside them. */
function packPlain({ rows: packed, mean }: Packed, rows: Float32Array, count: number): void {
  const width = mean.length;
  const fours = count - (count % 4);
  mean.fill(0);
  for (let row = 0; row < fours; row += 4) {
    let a = row * width;
    let b = a + width;
    let c = b + width;
    let d = c + width;
    for (let i = 0; i < width; i++)
      mean[i] =
        (mean[i] as number) +
        ((rows[a++] as number) + (rows[b++] as number) + ((rows[c++] as number) + (rows[d++] as number)));
  }
  for (let at = fours * width; at < count * width; at++) {
    const i = at % width;
    mean[i] = (mean[i] as number) + (rows[at] as number);
  }
  for (let i = 0; i < width; i++) mean[i] = (mean[i] as number) / count;
  for (let row = 0; row < fours; row += 4) {
    let a = row * width;
    let b = a + width;
    let c = b + width;
    let d = c + width;
    for (let i = 0; i < width; i++, a++, b++, c++, d++) {
      const m = mean[i] as number;
      packed[a] = (rows[a] as number) - m;
      packed[b] = (rows[b] as number) - m;
      packed[c] = (rows[c] as number) - m;
      packed[d] = (rows[d] as number) - m;
    }
  }
  for (let at = fours * width; at < count * width; at++)
    packed[at] = (rows[at] as number) - (mean[at % width] as number);
}

function packWeighted({ rows: packed, mean }: Packed, rows: Float32Array, weights: Float64Array, total: number): void {
  const width = mean.length;
  mean.fill(0);
  weights.forEach((weight, row) => {
    for (let i = 0, at = row * width; i < width; i++, at++)
      mean[i] = (mean[i] as number) + weight * (rows[at] as number);
  });
  for (let i = 0; i < width; i++) mean[i] = (mean[i] as number) / total;
  weights.forEach((weight, row) => {
    const scale = Math.sqrt(weight);
    for (let i = 0, at = row * width; i < width; i++, at++)
      packed[at] = scale * ((rows[at] as number) - (mean[i] as number));
  });
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
