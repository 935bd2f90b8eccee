import { mismatch } from "../errors.ts";

/** A seeded stream of chance. Every draw advances it; two streams of one seed give the same values on every platform. */
export interface Random {
  /** Uniform on [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal: mean 0, variance 1. */
  normal(): number;
  /** Uniform integer from 0 to n − 1, without modulo bias. n from 1 to 2³². @throws bad-input for any other n */
  integer(n: number): number;
  /** A new array with the same elements in a uniformly drawn order (Fisher-Yates). */
  shuffle<T>(values: ArrayLike<T>): T[];
}

/**
 * Opens a stream of pseudo-random numbers that depends on `seed` alone: xoshiro128**, its state filled by SplitMix64 as its authors
 * advise, so that neighbouring seeds give unrelated streams. Not for secrets.
 *
 * `seed` is an integer from 0 to 2⁵³ − 1.
 *
 * @throws bad-input for any other seed
 * @see Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47 (2021), https://prng.di.unimi.it
 * @example
 * const random = seededRandom(7);
 * random.uniform(); random.normal(); random.shuffle([1, 2, 3]);
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw mismatch("bad-input", "seed", "an integer from 0 to 2^53 - 1", String(seed));
  const next = xoshiro128(seed);
  const uniform = (): number => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  let spare: number | undefined;

  function normal(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    // Marsaglia's polar method: of the library functions it needs only log and sqrt, and V8 computes both alike everywhere.
    for (;;) {
      const u = 2 * uniform() - 1;
      const v = 2 * uniform() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * factor;
      return u * factor;
    }
  }

  function integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32)
      throw mismatch("bad-input", "random integer", "a bound from 1 to 2^32", String(n));
    const limit = 2 ** 32 - (2 ** 32 % n); // values from here on would favour the small remainders
    for (;;) {
      const value = next();
      if (value < limit) return value % n;
    }
  }

  function shuffle<T>(values: ArrayLike<T>): T[] {
    const result = Array.from(values);
    for (let i = result.length - 1; i > 0; i--) {
      const j = integer(i + 1);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }

  return { uniform, normal, integer, shuffle };
}

/** xoshiro128**: a function giving unsigned 32-bit integers. */
function xoshiro128(seed: number): () => number {
  let [a, b, c, d] = splitMix(seed);
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  };
}

/** Two draws of SplitMix64 as four 32-bit words; they cannot all be zero, since SplitMix64 is a bijection of a moving counter. */
function splitMix(seed: number): [number, number, number, number] {
  let counter = BigInt(seed);
  const draw = (): bigint => {
    counter = BigInt.asUintN(64, counter + 0x9e3779b97f4a7c15n);
    let z = counter;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  const [first, second] = [draw(), draw()];
  const low = (z: bigint): number => Number(z & 0xffffffffn) | 0;
  const high = (z: bigint): number => Number(z >> 32n) | 0;
  return [low(first), high(first), low(second), high(second)];
}
