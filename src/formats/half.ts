/** Value of an IEEE 754 half-precision number from its 16 bits. Exact: every half is a float. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Floats of little-endian half-precision numbers, `[n]` from `2n` bytes. */
export function halvesToFloats(bytes: Uint8Array): Float32Array {
  return mapWords(bytes, halfToNumber);
}

/** Floats of little-endian bfloat16 numbers (the upper half of a float's bits), `[n]` from `2n` bytes. */
export function bfloatsToFloats(bytes: Uint8Array): Float32Array {
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  return mapWords(bytes, (bits) => {
    word[0] = bits << 16;
    return float[0]!;
  });
}

function mapWords(bytes: Uint8Array, convert: (bits: number) => number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = new Float32Array(bytes.byteLength >> 1);
  for (let i = 0; i < floats.length; i++) floats[i] = convert(view.getUint16(2 * i, true));
  return floats;
}
