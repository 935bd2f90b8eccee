import { mismatch, TrimtabError } from "../errors.ts";
import { bfloatsToFloats, halvesToFloats } from "./half.ts";
import type { Dtype } from "./safetensors-header.ts";

/** Floats that can be read lazily; a file may hold tensors of other types beside them. */
export type FloatDtype = Extract<Dtype, "F64" | "F32" | "F16" | "BF16">;

/** A tensor of a file that is open, read when asked for. */
export interface LazyTensor {
  readonly name: string;
  /** As {@link Dtype}, or another name that the file gives. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The first dimension of `shape` runs fastest (NumPy's Fortran order). Only for matrices. */
  readonly isColumnMajor: boolean;
  /** Its bytes in order, in chunks of any length. A chunk may be overwritten once the next one is asked for. */
  readonly chunks: (signal?: AbortSignal) => AsyncIterable<Uint8Array>;
}

/** A file of tensors that is open: nothing but its directory was read. */
export interface TensorFile extends AsyncDisposable {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, LazyTensor>;
}

export interface ReadFloatsOptions {
  /** Gives the transpose of a matrix `[r, c]`: `[c, r]` row-major. It is turned as it is read, so no second copy is held. */
  readonly transpose?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rows that are turned together: 16 MiB of them, so that what is written lies in runs. */
const stripBytes = 2 ** 24;

/**
 * Reads a tensor of floats, F64, F32, F16 or BF16, as float32. Memory is the result and a few megabytes.
 *
 * @throws bad-input for another type of number, or a file that ends before; io; aborted
 */
export async function readFloats(tensor: LazyTensor, options: ReadFloatsOptions = {}): Promise<Float32Array> {
  const { name, shape, isColumnMajor } = tensor;
  const count = shape.reduce((a, b) => a * b, 1);
  const result = allocate(count, name);
  if (shape.length !== 2 || (options.transpose ?? false) === isColumnMajor) {
    let at = 0;
    for await (const floats of floatChunks(tensor, count, options.signal)) {
      result.set(floats, at);
      at += floats.length;
    }
    return result;
  }
  const [first, second] = shape as readonly [number, number];
  // As the numbers lie in the file: `rows` runs of `cols` each.
  const [rows, cols] = isColumnMajor ? [second, first] : [first, second];
  await turn(floatChunks(tensor, count, options.signal), result, { rows, cols });
  return result;
}

/** Writes `[rows, cols]`, which comes in order, to `result` as `[cols, rows]`, a strip of rows at a time. */
async function turn(
  chunks: AsyncIterable<Float32Array>,
  result: Float32Array,
  { rows, cols }: { readonly rows: number; readonly cols: number },
): Promise<void> {
  if (rows * cols === 0) return;
  const together = Math.max(1, Math.min(rows, Math.floor(stripBytes / 4 / cols)));
  const strip = new Float32Array(together * cols);
  let filled = 0;
  let done = 0;
  const flush = (): void => {
    const n = filled / cols;
    // Blocks of 32 x 32 keep both sides in the first-level cache.
    for (let i0 = 0; i0 < n; i0 += 32)
      for (let j0 = 0; j0 < cols; j0 += 32)
        for (let j = j0; j < Math.min(j0 + 32, cols); j++)
          for (let i = i0; i < Math.min(i0 + 32, n); i++) result[j * rows + done + i] = strip[i * cols + j] as number;
    done += n;
    filled = 0;
  };
  for await (const floats of chunks)
    for (let at = 0; at < floats.length; ) {
      const take = Math.min(floats.length - at, strip.length - filled);
      strip.set(floats.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled === strip.length) flush();
    }
  flush();
}

async function* floatChunks(
  tensor: LazyTensor,
  count: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Float32Array, void, void> {
  const convert = converterOf(tensor);
  const { size } = convert;
  let rest = new Uint8Array(0);
  let given = 0;
  for await (const chunk of tensor.chunks(signal)) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    // A number may lie across the end of a chunk. The copy also starts at a multiple of every size, as typed arrays must.
    const bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    const whole = bytes.length - (bytes.length % size);
    rest = bytes.slice(whole);
    if (given + whole / size > count) throw wrongLength(tensor, count, "more");
    given += whole / size;
    if (whole > 0) yield convert.toFloats(bytes.subarray(0, whole));
  }
  if (given !== count || rest.length > 0) throw wrongLength(tensor, count, String(given));
}

interface Converter {
  readonly size: number;
  readonly toFloats: (bytes: Uint8Array) => Float32Array;
}

const converters: Readonly<Record<FloatDtype, Converter>> = {
  F64: {
    size: 8,
    toFloats: ({ buffer, byteOffset, length }) => Float32Array.from(new Float64Array(buffer, byteOffset, length / 8)),
  },
  F32: { size: 4, toFloats: ({ buffer, byteOffset, length }) => new Float32Array(buffer, byteOffset, length / 4) },
  F16: { size: 2, toFloats: halvesToFloats },
  BF16: { size: 2, toFloats: bfloatsToFloats },
};

function converterOf({ name, dtype }: LazyTensor): Converter {
  if (Object.hasOwn(converters, dtype)) return converters[dtype as FloatDtype];
  throw mismatch("bad-input", `tensor ${name}`, "floats (F64, F32, F16 or BF16)", dtype.slice(0, 40));
}

function wrongLength({ name }: LazyTensor, expected: number, got: string): TrimtabError {
  return mismatch("bad-input", `tensor ${name}`, `${expected} numbers`, got, {
    hint: "the file is cut short or damaged; copy it again",
  });
}

function allocate(count: number, name: string): Float32Array {
  try {
    return new Float32Array(count);
  } catch (error) {
    throw new TrimtabError("io", `tensor ${name}: not enough memory for ${count} numbers`, { cause: error });
  }
}
