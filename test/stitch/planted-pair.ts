import { formatGguf } from "../../src/formats/format-gguf.ts";
import { parseGgufHeader } from "../../src/formats/gguf.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { randomSemiOrthogonal } from "../../src/linalg/orthonormal.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { syntheticModel } from "../engine/synthetic-model.ts";

/** Two GGUF models that compute the same, in residual streams of two widths: h_large = Q h_small at every layer. */
export interface PlantedPair {
  readonly small: Uint8Array;
  readonly large: Uint8Array;
  /** `[large width, small width]`, its columns orthonormal. */
  readonly Q: Matrix;
}

/**
 * Plants a pair: a llama with norm gains of one, and the same with its residual stream turned into a wider one. Norms see the same lengths,
 * once gains make up for the larger width; whatever reads the stream reads Qᵀh, whatever writes into it writes Q times as much.
 */
export async function plantedPair(width: number, wide: number, blocks: number): Promise<PlantedPair> {
  const small = await syntheticModel("llama", { width, blocks });
  const header = parseGgufHeader(small);
  const Q = randomSemiOrthogonal(wide, width, seededRandom(3));
  const heads = header.metadata.get("llama.attention.head_count") as { value: number };
  const metadata = new Map(header.metadata);
  metadata.set("general.name", { type: "string", value: "Random llama, wider" });
  metadata.set("llama.embedding_length", { type: "u32", value: wide });
  metadata.set("llama.attention.key_length", { type: "u32", value: width / heads.value });
  metadata.set("llama.attention.value_length", { type: "u32", value: width / heads.value });
  metadata.set("llama.attention.layer_norm_rms_epsilon", { type: "f32", value: (1e-5 * width) / wide });
  const tensors = header.tensors.map(({ name, dims, offset }) => {
    const start = header.dataOffset + offset;
    const count = dims.reduce((a, b) => a * b, 1);
    const data = new Float32Array(small.slice(start, start + 4 * count).buffer);
    if (/norm\.weight$/.test(name))
      return { name, dims: [wide], data: new Float32Array(wide).fill(Math.sqrt(width / wide)) };
    // Stored row by row of outputs, each of so many inputs: readers have the stream as their input, writers as their output.
    if (/attn_output|ffn_down/.test(name))
      return { name, dims: [dims[0]!, wide], data: turnOutputs(data, dims[0]!, Q) };
    return { name, dims: [wide, dims[1]!], data: turnInputs(data, dims[1]!, Q) };
  });
  return { small, large: formatGguf({ metadata, tensors }), Q };
}

/** W Qᵀ for W `[outputs, small]`. */
function turnInputs(W: Float32Array, outputs: number, { rows: wide, cols: width, data: Q }: Matrix): Float32Array {
  const turned = new Float32Array(outputs * wide);
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < wide; i++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += W[o * width + j]! * Q[i * width + j]!;
      turned[o * wide + i] = sum;
    }
  return turned;
}

/** Q W for W `[small, inputs]`. */
function turnOutputs(W: Float32Array, inputs: number, { rows: wide, cols: width, data: Q }: Matrix): Float32Array {
  const turned = new Float32Array(wide * inputs);
  for (let i = 0; i < wide; i++)
    for (let k = 0; k < inputs; k++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += Q[i * width + j]! * W[j * inputs + k]!;
      turned[i * inputs + k] = sum;
    }
  return turned;
}
