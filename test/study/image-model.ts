import { formatGguf } from "../../src/formats/format-gguf.ts";
import { readGgufHeader } from "../../src/formats/gguf.ts";
import { readGgufTensor } from "../../src/formats/gguf-tensor.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { createMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";

/** The XS model with all weights in F32. */
export const xs32 = "test/fixtures/trimtab-stories-xs-f32.gguf";
const width = 96;

/** A tensor of a model, row-major as GGUF keeps it: `[dims[1], dims[0]]`. */
export interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Reads every tensor of the XS model, and lets `change` have its way with each. */
export async function readWeights(change: (weight: Weight) => Weight = (weight) => weight): Promise<Weight[]> {
  const header = await readGgufHeader(xs32);
  const weights: Weight[] = [];
  for (const { name, dims } of header.tensors)
    weights.push(change({ name, dims, data: await readGgufTensor(xs32, header, name) }));
  return weights;
}

/** Writes weights as a model with the XS model's metadata; `isImage` scales what its norms add to the mean square as the stream is scaled. */
export async function formatModel(
  weights: readonly Weight[],
  { isImage = false }: { readonly isImage?: boolean } = {},
): Promise<Uint8Array> {
  const { metadata: own } = await readGgufHeader(xs32);
  const metadata = new Map(own);
  const key = "llama.attention.layer_norm_rms_epsilon";
  const epsilon = own.get(key);
  if (isImage && epsilon?.type === "f32") metadata.set(key, { type: "f32", value: scale ** 2 * epsilon.value });
  return formatGguf({ metadata, tensors: weights.map(({ name, dims, data }) => ({ name, dims, data })) });
}

/** Where dimension i of the original stands in the image. */
const place = seededRandom(3).shuffle(Array.from({ length: width }, (_, i) => i));
const scale = 2;

/** The map from the original's states to the image's: `h′ = 2 P h`. */
export function imageMatrix(): Matrix {
  const data = new Float64Array(width * width);
  for (const [from, to] of place.entries()) data[to * width + from] = scale;
  return createMatrix(width, width, data);
}

/**
 * A model whose residual stream is a known linear image of another's, `h′ = 2 P h` with P a permutation, and which says the same: what writes to the stream
 * is permuted and doubled, what reads it is permuted (the norms take the factor out), and the output head, shared in the original, is of its own.
 */
export function toImage(weights: readonly Weight[]): Weight[] {
  return weights.flatMap((weight): Weight[] => {
    const { name, dims, data } = weight;
    const kind = name.replace(/^blk\.\d+\./, "");
    if (kind.endsWith("norm.weight")) return [{ ...weight, data: permute(data, 1) }];
    if (kind === "token_embd.weight")
      return [
        { ...weight, data: permute(data, dims[1]!).map((value) => scale * value) },
        { ...weight, name: "output.weight", data: permute(data, dims[1]!) },
      ];
    // Rows are what is written, columns what is read.
    if (kind === "attn_output.weight" || kind === "ffn_down.weight")
      return [{ ...weight, data: permuteRows(data, dims[0]!) }];
    return [{ ...weight, data: permute(data, dims[1]!) }];
  });
}

function permute(data: Float32Array, rows: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (const [from, to] of place.entries()) result[row * width + to] = data[row * width + from]!;
  return result;
}

function permuteRows(data: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (const [from, to] of place.entries())
    for (let j = 0; j < columns; j++) result[to * columns + j] = scale * data[from * columns + j]!;
  return result;
}
