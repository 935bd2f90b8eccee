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

/** Little-endian half-precision numbers, `2n` bytes of `[n]` floats, rounded to nearest, ties to even; beyond 65504 infinite. */
export function floatsToHalves(floats: Float32Array): Uint8Array {
  return toWords(floats, (bits, value) => {
    const sign = (bits >>> 16) & 0x8000;
    const magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
    if (magnitude >= 0x477ff000) return sign | 0x7c00; // from 65520 on the nearest is infinity
    if (magnitude < 0x38800000) return sign | roundToEven(Math.abs(value) * 2 ** 24); // below 2^-14 steps are of 2^-24
    return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
  });
}

/** Little-endian bfloat16 numbers, `2n` bytes of `[n]` floats, rounded to nearest, ties to even. */
export function floatsToBfloats(floats: Float32Array): Uint8Array {
  return toWords(floats, (bits) =>
    (bits & 0x7fffffff) > 0x7f800000 ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16,
  );
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function toWords(floats: Float32Array, convert: (bits: number, value: number) => number): Uint8Array {
  const float = new Float32Array(1);
  const word = new Uint32Array(float.buffer);
  const bytes = new Uint8Array(2 * floats.length);
  const view = new DataView(bytes.buffer);
  floats.forEach((value, i) => {
    float[0] = value;
    view.setUint16(2 * i, convert(word[0] as number, value), true);
  });
  return bytes;
}

function mapWords(bytes: Uint8Array, convert: (bits: number) => number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = new Float32Array(bytes.byteLength >> 1);
  for (let i = 0; i < floats.length; i++) floats[i] = convert(view.getUint16(2 * i, true));
  return floats;
}
