import { mismatch } from "../../errors.ts";
import {
  readSafetensors,
  type Safetensors,
  type Tensor,
  type TensorData,
  writeSafetensors,
} from "../../formats/safetensors.ts";
import type { WriteFileOptions } from "../../formats/write-file.ts";
import { createMatrix } from "../../linalg/matrix.ts";
import type { BlockName, JointMoments } from "../joint-moments.ts";
import { checkKind } from "../tensor-file.ts";
import { checkMoments } from "./check-moments.ts";
import { type Collection, type CollectionPlan, type HeldWindow, planWidths, shuffledBlocks } from "./collection.ts";
import { formatCollectionPlan, formatLedger, parseCollectionPlan, parseLedger } from "./collection-record.ts";
import { normBins } from "./norm-histogram.ts";
import { partCount } from "./split-groups.ts";
import type { TokenSums } from "./token-sums.ts";

/** What a file of moments calls itself in its metadata. */
export const momentsKind = "trimtab-moments";
export const momentsVersion = "2";
/** That of aligned rows: releases that know only token ids must not take them for such. */
export const alignedVersion = "3";

/**
 * Writes a collection as safetensors; what is written reads back equal, to the bit.
 *
 * Metadata: format, version, plan, ledger, the weights of all moments, the rows of all parts. Tensors, sites numbered sources first: `part.P.mean.S`,
 * `part.P.R.C` (F64), the same under `shuffled`; `held.windows` (I32: number, group, rows), `held.tokens` (I32), `held.S` (F32),
 * `held.weights` (F64, where rows are weighted); `tokens.fitted.ids`, `.n`, `.sums` and the same under `tokens.validation`; `norms.S`.
 *
 * @throws io (the file that stood there before stays), aborted
 */
export async function writeCollection(
  path: string,
  collection: Collection,
  options: WriteFileOptions = {},
): Promise<void> {
  const { plan, ledger, parts, rowCounts, shuffled, heldOut, heldLimit, tokens, norms } = collection;
  const widths = planWidths(plan);
  const tensors = new Map<string, Tensor>();
  const put = (name: string, data: TensorData, shape: readonly number[] = [data.length]): void => {
    tensors.set(name, { shape, data });
  };
  const putMoments = (name: string, { means, blocks }: JointMoments): void => {
    means.forEach((mean, site) => {
      put(`${name}.mean.${site}`, mean);
    });
    for (const { row, col, C } of blocks) put(`${name}.${row}.${col}`, C.data, [C.rows, C.cols]);
  };
  parts.forEach((part, at) => {
    putMoments(`part.${at}`, part);
  });
  putMoments("shuffled", shuffled);
  put("held.windows", Int32Array.from(heldOut.flatMap(({ window, group, tokens }) => [window, group, tokens.length])), [
    heldOut.length,
    3,
  ]);
  put(
    "held.tokens",
    joinTo(
      Int32Array,
      heldOut.map((window) => window.tokens),
    ),
  );
  widths.forEach((width, site) => {
    const rows = joinTo(
      Float32Array,
      heldOut.map(({ states }) => states[site] as Float32Array),
    );
    put(`held.${site}`, rows, [rows.length / width, width]);
  });
  if (heldOut.some(({ weights }) => weights !== undefined))
    put(
      "held.weights",
      joinTo(
        Float64Array,
        heldOut.map(({ weights, tokens }) => weights ?? new Float64Array(tokens.length).fill(1)),
      ),
    );
  for (const of of ["fitted", "validation"] as const) {
    const entries = [...tokens[of].byToken];
    const total = widths.reduce((sum, width) => sum + width, 0);
    put(
      `tokens.${of}.ids`,
      Int32Array.from(entries, ([token]) => token),
    );
    put(
      `tokens.${of}.n`,
      Float64Array.from(entries, ([, { n }]) => n),
    );
    put(
      `tokens.${of}.sums`,
      joinTo(
        Float64Array,
        entries.map(([, { sums }]) => sums),
      ),
      [entries.length, total],
    );
  }
  norms.forEach((histogram, site) => {
    put(`norms.${site}`, histogram);
  });
  const metadata = new Map([
    ["format", momentsKind],
    ["version", plan.alignment ? alignedVersion : momentsVersion],
    ["plan", formatCollectionPlan(plan)],
    ["ledger", formatLedger(ledger)],
    ["weights", JSON.stringify([...parts, shuffled].map(({ n }) => n))],
    ["rows", JSON.stringify(rowCounts)],
    ["held_limit", JSON.stringify([heldLimit])],
  ]);
  await writeSafetensors(path, tensors, metadata, options);
}

/**
 * Reads a collection that {@link writeCollection} wrote, and checks that its parts fit together, are finite, and could be moments of rows.
 *
 * @throws not-found, io; bad-input for a file that is damaged or of another kind; unsupported for another version, pickle, ZIP
 */
export async function readCollection(path: string): Promise<Collection> {
  const file = await readSafetensors(path);
  const version = checkKind(file, momentsKind, path, [momentsVersion, alignedVersion]);
  const text = (key: string): string => file.metadata.get(key) ?? "";
  const plan = checkVersion(parseCollectionPlan(text("plan"), `${path}: plan`), version, path);
  const ledger = parseLedger(text("ledger"), `${path}: ledger`);
  const count = partCount(plan);
  const weights = parseNumbers(text("weights"), count + 1, `${path}: weights`);
  const rowCounts = parseNumbers(text("rows"), count, `${path}: rows`);
  const widths = planWidths(plan);
  const check = (isSound: boolean, where: string, expected: string, found: string): void => {
    if (!isSound) throw mismatch("bad-input", `${path}: ${where}`, expected, found);
  };
  check(rowCounts.every(Number.isSafeInteger), "rows", "whole numbers", rowCounts.join(", ").slice(0, 60));
  rowCounts.forEach((rows, part) => {
    const weight = weights[part] as number;
    check(rows > 0 === weight > 0, "weights", rows > 0 ? `a weight of ${rows} rows` : "none of no rows", `${weight}`);
  });
  const { limits } = ledger;
  const isLimited = !limits || (limits.length === widths.length && limits.every((limit) => limit >= 0));
  check(isLimited, "ledger.limits", `${widths.length} norms`, `${limits?.join(", ").slice(0, 60)}`);
  const heldLimit = parseNumbers(text("held_limit"), 1, `${path}: held_limit`)[0] as number;
  check(heldLimit <= 1, "held_limit", "at most 1", `${heldLimit}`);
  const tensor = createTensorReader(file, path);
  const moments = (name: string, n: number, blocks: readonly BlockName[]): JointMoments => {
    const found = {
      n,
      means: widths.map((width, site) => tensor.float64(`${name}.mean.${site}`, [width])),
      blocks: blocks.map(({ row, col }) => {
        const [rows, cols] = [widths[row] as number, widths[col] as number];
        return { row, col, C: createMatrix(rows, cols, tensor.float64(`${name}.${row}.${col}`, [rows, cols])) };
      }),
    };
    checkMoments(found, `${path}: ${name}`);
    return found;
  };
  return {
    plan,
    ledger,
    parts: Array.from({ length: count }, (_, at) => moments(`part.${at}`, weights[at] as number, plan.blocks)),
    rowCounts,
    shuffled: moments("shuffled", weights[count] as number, shuffledBlocks(plan)),
    heldOut: readHeldOut(tensor, widths, path),
    heldLimit,
    tokens: {
      fitted: readTokens(tensor, "tokens.fitted", widths, path),
      validation: readTokens(tensor, "tokens.validation", widths, path),
    },
    norms: widths.map((_, site) => {
      const counts = tensor.float64(`norms.${site}`, [normBins]);
      checkAll(counts, (count) => count >= 0, `${path}: norms.${site}`, "counts of at least 0");
      return counts;
    }),
  };
}

/** Checks that a file that says of what version it is holds what such files hold. @throws bad-input */
export function checkVersion(plan: CollectionPlan, version: string, path: string): CollectionPlan {
  if ((plan.alignment !== undefined) === (version === alignedVersion)) return plan;
  const expected = version === alignedVersion ? "aligned rows" : "rows paired by token id";
  throw mismatch("bad-input", `${path}: plan.alignment`, `${expected} in version ${version}`, "others");
}

function readHeldOut(tensor: TensorReader, widths: readonly number[], path: string): HeldWindow[] {
  const windows = tensor.int32("held.windows", [undefined, 3]);
  const count = windows.length / 3;
  const tokens = tensor.int32("held.tokens", [undefined]);
  const states = widths.map((width, site) => tensor.float32(`held.${site}`, [tokens.length, width]));
  const weights = tensor.has("held.weights") ? tensor.float64("held.weights", [tokens.length]) : undefined;
  if (weights) checkAll(weights, (weight) => weight > 0, `${path}: held.weights`, "weights above 0");
  checkAll(tokens, (id) => id >= 0, `${path}: held.tokens`, "token ids of at least 0");
  let start = 0;
  const held = Array.from({ length: count }, (_, at) => {
    const [window, group, rows] = [...windows.subarray(3 * at, 3 * at + 3)] as [number, number, number];
    const end = start + rows;
    if (window < 0 || group < 0 || rows < 0 || end > tokens.length)
      throw mismatch(
        "bad-input",
        `${path}: held.windows`,
        `windows of ${tokens.length} rows`,
        `${window}, ${group}, ${rows}`,
      );
    const result = {
      window,
      group,
      tokens: tokens.subarray(start, end),
      states: states.map((rowsOf, site) =>
        rowsOf.subarray(start * (widths[site] as number), end * (widths[site] as number)),
      ),
      weights: weighted(weights?.subarray(start, end)),
    };
    start = end;
    return result;
  });
  if (start !== tokens.length)
    throw mismatch("bad-input", `${path}: held.windows`, `${tokens.length} rows in all`, `${start}`);
  return held;
}

/** Weights as the reader of rows gives them: none where all are 1, whatever other windows have. */
function weighted(weights: Float64Array | undefined): Float64Array | undefined {
  return weights?.every((weight) => weight === 1) ? undefined : weights;
}

function readTokens(tensor: TensorReader, name: string, widths: readonly number[], path: string): TokenSums {
  const total = widths.reduce((sum, width) => sum + width, 0);
  const ids = tensor.int32(`${name}.ids`, [undefined]);
  const n = tensor.float64(`${name}.n`, [ids.length]);
  const sums = tensor.float64(`${name}.sums`, [ids.length, total]);
  checkAll(ids, (id) => id >= 0, `${path}: ${name}.ids`, "token ids of at least 0");
  checkAll(n, (weight) => weight > 0, `${path}: ${name}.n`, "weights above 0");
  const byToken = new Map(
    Array.from(
      ids,
      (token, at) => [token, { n: n[at] as number, sums: sums.subarray(at * total, (at + 1) * total) }] as const,
    ),
  );
  if (byToken.size !== ids.length)
    throw mismatch("bad-input", `${path}: ${name}.ids`, "each token once", `${ids.length - byToken.size} twice`);
  return { widths, byToken };
}

function checkAll(
  values: Int32Array | Float64Array,
  isSound: (value: number) => boolean,
  where: string,
  expected: string,
): void {
  for (const value of values) if (!isSound(value)) throw mismatch("bad-input", where, expected, String(value));
}

interface TensorReader {
  has(name: string): boolean;
  /** A tensor of the given shape; `undefined` is any size. @throws bad-input */
  float64(name: string, shape: readonly (number | undefined)[]): Float64Array;
  float32(name: string, shape: readonly (number | undefined)[]): Float32Array;
  int32(name: string, shape: readonly (number | undefined)[]): Int32Array;
}

function createTensorReader({ tensors }: Safetensors, path: string): TensorReader {
  const read = (name: string, shape: readonly (number | undefined)[], type: string): TensorData => {
    const tensor = tensors.get(name);
    const wanted = `${type} [${shape.map((size) => size ?? "any").join(", ")}]`;
    if (!tensor) throw mismatch("bad-input", path, `a tensor ${name}, ${wanted}`, "none");
    const fits =
      tensor.shape.length === shape.length &&
      shape.every((size, at) => size === undefined || size === tensor.shape[at]);
    if (!fits || tensor.data.constructor.name !== type)
      throw mismatch(
        "bad-input",
        `${path}: ${name}`,
        wanted,
        `${tensor.data.constructor.name} [${tensor.shape.join(", ")}]`,
      );
    const bad =
      tensor.data instanceof BigInt64Array ? undefined : tensor.data.find((value: number) => !Number.isFinite(value));
    if (bad !== undefined) throw mismatch("bad-input", `${path}: ${name}`, "finite numbers", String(bad));
    return tensor.data;
  };
  return {
    has: (name) => tensors.has(name),
    float64: (name, shape) => read(name, shape, "Float64Array") as Float64Array,
    float32: (name, shape) => read(name, shape, "Float32Array") as Float32Array,
    int32: (name, shape) => read(name, shape, "Int32Array") as Int32Array,
  };
}

/**
 * Reads a list of so many numbers of at least 0.
 *
 * @throws bad-input for anything else
 */
export function parseNumbers(json: string, count: number, where: string): readonly number[] {
  const values: unknown = /^\[[0-9eE+.,-]{0,65536}\]$/.test(json) ? JSON.parse(json) : undefined;
  const isSound =
    Array.isArray(values) &&
    values.length === count &&
    values.every((n) => typeof n === "number" && Number.isFinite(n) && n >= 0);
  if (!isSound) throw mismatch("bad-input", where, `${count} numbers of at least 0`, JSON.stringify(json.slice(0, 60)));
  return values as readonly number[];
}

type Joinable = Float32Array | Float64Array | Int32Array;

function joinTo<T extends Joinable>(type: new (length: number) => T, pieces: readonly T[]): T {
  const result = new type(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}
