import type { Readout } from "../../compare/readout-distances.ts";
import { mismatch, TrimtabError } from "../../errors.ts";
import { type GgufHeader, type GgufTensorInfo, readGgufHeader } from "../../formats/gguf.ts";
import { toGgufNumbers } from "../../formats/gguf-numbers.ts";
import { type OpenFile, openRegularFile, readExactly } from "../../formats/open-regular-file.ts";
import { createMatrix } from "../../linalg/matrix.ts";
import { transposedMultiply } from "../../linalg/multiply.ts";

/** Tokens of the vocabulary that are taken, evenly spread: the products of a larger one hardly differ, and cost minutes. */
const mostTokens = 32_768;
/** Tokens read at a time: a few megabytes of a wide model. */
const tokensAtOnce = 512;
/** Wider states than any model's, and too wide for the `[width, width]` products. */
const mostWidth = 65_536;

/**
 * Reads how a model turns its last hidden state into logits: `output_norm` and `output` (or the token embeddings, where they are shared), of which
 * only the products of the columns are kept, `[width, width]`.
 *
 * @throws unsupported if the tensors are missing or of a type that is not read here; bad-input, io for a damaged file
 */
export async function readReadout(path: string): Promise<Readout> {
  const header = await readGgufHeader(path);
  const find = (name: string): GgufTensorInfo | undefined => header.tensors.find((tensor) => tensor.name === name);
  const [norm, output] = [find("output_norm.weight"), find("output.weight") ?? find("token_embd.weight")];
  if (!norm || !output)
    throw mismatch("unsupported", `${path}: readout`, "tensors output_norm.weight and output.weight", "none");
  const [width = 0, vocabulary = 0] = output.dims;
  if (width < 1 || width > mostWidth || vocabulary < 2 || output.dims.slice(2).some((size) => size !== 1))
    throw mismatch(
      "bad-input",
      `${path}: tensor ${output.name}`,
      "a matrix of width by vocabulary",
      output.dims.join(" x "),
    );
  const file = await openRegularFile(path);
  try {
    const source = { file, path, header };
    const gains = Float64Array.from(await readNumbers(source, norm, 0, norm.sizeBytes));
    if (gains.length !== width)
      throw mismatch("bad-input", `${path}: tensor ${norm.name}`, `${width} gains`, String(gains.length));
    const products = await readProducts(source, output, { width, vocabulary });
    const epsilons = ["layer_norm_rms_epsilon", "layer_norm_epsilon"].map((key) => numberOf(header, key));
    const isCentred =
      find("output_norm.bias") !== undefined || (epsilons[0] === undefined && epsilons[1] !== undefined);
    return { isCentred, epsilon: epsilons.find((value) => value !== undefined) ?? 1e-5, gains, products };
  } finally {
    await file.handle.close();
  }
}

interface Source {
  readonly file: OpenFile;
  readonly path: string;
  readonly header: GgufHeader;
}

/** Σ (w − w̄)(w − w̄)ᵀ over tokens' rows w, evenly spread over the vocabulary. */
async function readProducts(
  source: Source,
  output: GgufTensorInfo,
  { width, vocabulary }: { readonly width: number; readonly vocabulary: number },
): Promise<Readout["products"]> {
  const rowBytes = output.sizeBytes / vocabulary;
  if (!Number.isInteger(rowBytes))
    throw mismatch("bad-input", `${source.path}: tensor ${output.name}`, "whole rows", `${output.sizeBytes} bytes`);
  const pieces = Math.ceil(vocabulary / tokensAtOnce);
  const stride = Math.max(1, pieces / (mostTokens / tokensAtOnce));
  const products = createMatrix(width, width);
  const sums = new Float64Array(width);
  let n = 0;
  for (let at = 0; at < pieces; at += stride) {
    const first = Math.floor(at) * tokensAtOnce;
    const count = Math.min(tokensAtOnce, vocabulary - first);
    const numbers = await readNumbers(source, output, first * rowBytes, count * rowBytes);
    const W = createMatrix(count, width, Float64Array.from(numbers));
    const P = transposedMultiply(W, W);
    for (let t = 0; t < P.data.length; t++) products.data[t] = (products.data[t] as number) + (P.data[t] as number);
    for (let t = 0; t < W.data.length; t++) sums[t % width] = (sums[t % width] as number) + (W.data[t] as number);
    n += count;
  }
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++) {
      const at = i * width + j;
      products.data[at] = (products.data[at] as number) - ((sums[i] as number) * (sums[j] as number)) / n;
    }
  return products;
}

async function readNumbers(
  { file, path, header }: Source,
  info: GgufTensorInfo,
  start: number,
  length: number,
): Promise<Float32Array> {
  const bytes = new Uint8Array(length);
  await readExactly(file, path, bytes, header.dataOffset + info.offset + start);
  const numbers = toGgufNumbers(bytes, info.typeName);
  if (!numbers)
    throw new TrimtabError(
      "unsupported",
      `${path}: tensor ${info.name}: expected F32, F16, BF16 or a common quantisation, got ${info.typeName}`,
    );
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw mismatch("bad-input", `${path}: tensor ${info.name}`, "finite numbers", String(numbers[bad]));
  return numbers;
}

function numberOf({ metadata }: GgufHeader, key: string): number | undefined {
  const architecture = metadata.get("general.architecture")?.value;
  const value = metadata.get(`${String(architecture)}.attention.${key}`)?.value;
  return typeof value === "number" ? value : undefined;
}
