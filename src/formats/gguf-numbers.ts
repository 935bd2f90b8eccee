import { bfloatsToFloats, halfToNumber, halvesToFloats } from "./half.ts";

/** Writes the numbers of one block, which starts at byte `at`, to `to`. */
type ReadBlock = (bytes: Uint8Array, at: number, to: Float32Array) => void;

/**
 * Floats of a tensor's bytes, or of a piece that is whole blocks: F32, F16, BF16, Q4_0, Q8_0, Q4_K, Q5_K, Q6_K. Undefined for other types.
 *
 * Dequantised in double precision and rounded once, so that the last bit can differ from ggml's floats.
 *
 * @see ggml/src/ggml-common.h (block layouts) and ggml-quants.c of llama.cpp
 */
export function toGgufNumbers(bytes: Uint8Array, typeName: string): Float32Array | undefined {
  if (typeName === "F32") return new Float32Array(new Uint8Array(bytes).buffer); // not slice(): a Buffer's is a view, and may be unaligned
  if (typeName === "F16") return halvesToFloats(bytes);
  if (typeName === "BF16") return bfloatsToFloats(bytes);
  const reader = blockReaders[typeName];
  if (!reader) return undefined;
  const { size, blockBytes, read } = reader;
  const blocks = Math.floor(bytes.length / blockBytes);
  const result = new Float32Array(blocks * size);
  for (let block = 0; block < blocks; block++)
    read(bytes, block * blockBytes, result.subarray(block * size, (block + 1) * size));
  return result;
}

/** One scale, then the numbers as signed bytes. */
const readQ8: ReadBlock = (bytes, at, to) => {
  const scale = half(bytes, at);
  for (let i = 0; i < 32; i++) to[i] = scale * signed(bytes[at + 2 + i] as number);
};

/** One scale, then four bits a number: the first half low, the second high; 8 is zero. */
const readQ4: ReadBlock = (bytes, at, to) => {
  const scale = half(bytes, at);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 2 + i] as number;
    to[i] = scale * ((pair & 15) - 8);
    to[i + 16] = scale * ((pair >> 4) - 8);
  }
};

/** Eight sub-blocks of 32: a scale and an offset of six bits each, then four bits a number; Q5_K has a fifth one before them. */
function readK(hasFifth: boolean): ReadBlock {
  return (bytes, at, to) => {
    const [scale, offset] = [half(bytes, at), half(bytes, at + 2)];
    const low = at + 16 + (hasFifth ? 32 : 0);
    for (let sub = 0; sub < 8; sub++) {
      const [multiplier, minimum] = sixBits(bytes, at + 4, sub);
      for (let i = 0; i < 32; i++) {
        const pair = bytes[low + 32 * (sub >> 1) + i] as number;
        const four = sub % 2 === 0 ? pair & 15 : pair >> 4;
        const fifth = hasFifth ? (((bytes[at + 16 + i] as number) >> sub) & 1) << 4 : 0;
        to[32 * sub + i] = scale * multiplier * (four + fifth) - offset * minimum;
      }
    }
  };
}

/** Scale and offset of a sub-block, packed into twelve bytes: the last four have their upper two bits with the first eight. */
function sixBits(bytes: Uint8Array, at: number, sub: number): [scale: number, offset: number] {
  const byte = (i: number): number => bytes[at + i] as number;
  if (sub < 4) return [byte(sub) & 63, byte(sub + 4) & 63];
  return [(byte(sub + 4) & 15) | ((byte(sub - 4) >> 6) << 4), (byte(sub + 4) >> 4) | ((byte(sub) >> 6) << 4)];
}

/** Two halves of 128: four bits low and two bits high a number, 32 is zero; sixteen signed scales, then one for all. */
const readQ6K: ReadBlock = (bytes, at, to) => {
  const scale = half(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const [part, quarter, lane] = [i >> 7, (i >> 5) & 3, i & 31];
    const pair = bytes[at + 64 * part + 32 * (quarter & 1) + lane] as number;
    const four = quarter < 2 ? pair & 15 : pair >> 4;
    const two = ((bytes[at + 128 + 32 * part + lane] as number) >> (2 * quarter)) & 3;
    const multiplier = signed(bytes[at + 192 + (i >> 4)] as number);
    to[i] = scale * multiplier * ((four | (two << 4)) - 32);
  }
};

const blockReaders: Readonly<Record<string, { size: number; blockBytes: number; read: ReadBlock } | undefined>> = {
  Q4_0: { size: 32, blockBytes: 18, read: readQ4 },
  Q8_0: { size: 32, blockBytes: 34, read: readQ8 },
  Q4_K: { size: 256, blockBytes: 144, read: readK(false) },
  Q5_K: { size: 256, blockBytes: 176, read: readK(true) },
  Q6_K: { size: 256, blockBytes: 210, read: readQ6K },
};

function half(bytes: Uint8Array, at: number): number {
  return halfToNumber((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
}

function signed(byte: number): number {
  return byte < 128 ? byte : byte - 256;
}
