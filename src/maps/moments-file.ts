import { mismatch } from "../errors.ts";
import { readSafetensors, type Tensor, writeSafetensors } from "../formats/safetensors.ts";
import type { WriteFileOptions } from "../formats/write-file.ts";
import { checkMatrix, createMatrix } from "../linalg/matrix.ts";
import type { Moments } from "./moments.ts";
import { checkKind, float64Tensor } from "./tensor-file.ts";

const kind = "trimtab-moments";

/**
 * Writes moments as safetensors: F64 tensors `mean_x`, `mean_y`, `cxx`, `cyx`, `cyy`, the row count in the metadata. `provenance` adds
 * strings of the caller's (models, sites, corpus) under names of their own.
 *
 * @throws bad-input for a provenance key that is taken; io, aborted
 */
export async function writeMoments(
  path: string,
  { n, meanX, meanY, Cxx, Cyx, Cyy }: Moments,
  { provenance = new Map(), ...options }: WriteFileOptions & { readonly provenance?: ReadonlyMap<string, string> } = {},
): Promise<void> {
  const metadata = new Map([
    ["format", kind],
    ["version", "1"],
    ["rows", String(n)],
  ]);
  for (const [key, value] of provenance) {
    if (metadata.has(key)) throw mismatch("bad-input", "provenance", "a key of its own", JSON.stringify(key));
    metadata.set(key, value);
  }
  const vector = (data: Float64Array): Tensor => ({ shape: [data.length], data });
  const tensors = new Map<string, Tensor>([
    ["mean_x", vector(meanX)],
    ["mean_y", vector(meanY)],
    ["cxx", { shape: [Cxx.rows, Cxx.cols], data: Cxx.data }],
    ["cyx", { shape: [Cyx.rows, Cyx.cols], data: Cyx.data }],
    ["cyy", { shape: [Cyy.rows, Cyy.cols], data: Cyy.data }],
  ]);
  await writeSafetensors(path, tensors, metadata, options);
}

/**
 * Reads moments that {@link writeMoments} wrote, and checks that their shapes fit together and their values are finite.
 *
 * @throws not-found, io; bad-input for a file that is damaged or of another kind; unsupported for a newer version
 */
export async function readMoments(path: string): Promise<Moments> {
  const file = await readSafetensors(path);
  checkKind(file, kind, path);
  const rows = file.metadata.get("rows") ?? "";
  if (!/^\d{1,15}$/.test(rows))
    throw mismatch("bad-input", `${path}: rows`, "a count", JSON.stringify(rows.slice(0, 40)));
  const vector = (name: string, length?: number): Float64Array => {
    const { data } = float64Tensor(file, name, 1, path);
    checkMatrix(createMatrix(1, data.length, data), `${path}: ${name}`, length === undefined ? {} : { cols: length });
    return data;
  };
  const meanX = vector("mean_x");
  const meanY = vector("mean_y");
  const square = float64Tensor(file, "cxx", 2, path);
  const cross = float64Tensor(file, "cyx", 2, path);
  const targets = float64Tensor(file, "cyy", 2, path);
  const [dSource, dTarget] = [meanX.length, meanY.length];
  return {
    n: Number(rows),
    meanX,
    meanY,
    Cxx: toMatrix(square, dSource, dSource, `${path}: cxx`),
    Cyx: toMatrix(cross, dTarget, dSource, `${path}: cyx`),
    Cyy: toMatrix(targets, dTarget, dTarget, `${path}: cyy`),
  };
}

function toMatrix(
  { shape, data }: { readonly shape: readonly number[]; readonly data: Float64Array },
  rows: number,
  cols: number,
  where: string,
): Moments["Cxx"] {
  return checkMatrix(createMatrix(shape[0] as number, shape[1] as number, data), where, { rows, cols });
}
