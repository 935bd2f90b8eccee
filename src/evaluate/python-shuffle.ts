import { mismatch } from "../errors.ts";

/**
 * Shuffles as `random.Random(seed).shuffle(list)` of CPython ≥ 3.2 does, for splits that were published with that program.
 *
 * Mersenne Twister MT19937 seeded by the words of the integer; from the last place down, place i is exchanged with one drawn from 0 … i by
 * taking as many top bits as i + 1 has and drawing again while the number is too large. For anything else use `seededRandom`.
 *
 * @param seed - an integer from 0 to 2⁵³ − 1
 * @throws bad-input for any other seed
 * @see Matsumoto and Nishimura 1998, "Mersenne Twister", ACM TOMACS 8; its reference initialisation by an array of 2002
 */
export function pythonShuffle<T>(values: readonly T[], seed: number): T[] {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw mismatch("bad-input", "seed", "an integer from 0 to 2^53 - 1", String(seed));
  const next = mersenneTwister(seed >= 2 ** 32 ? [seed >>> 0, Math.floor(seed / 2 ** 32)] : [seed]);
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const shift = Math.clz32(i + 1);
    let j = next() >>> shift;
    while (j > i) j = next() >>> shift;
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** MT19937 as unsigned 32-bit integers, its state filled from the key's 32-bit words. */
function mersenneTwister(key: readonly number[]): () => number {
  const n = 624;
  const state = new Uint32Array(n);
  state[0] = 19650218;
  for (let i = 1; i < n; i++) state[i] = mix(state, i - 1, 1812433253) + i;
  let i = 1;
  const turn = (): void => {
    if (++i < n) return;
    state[0] = state[n - 1]!;
    i = 1;
  };
  for (let k = 0; k < Math.max(n, key.length); k++) {
    const j = k % key.length;
    state[i] = (state[i]! ^ mix(state, i - 1, 1664525)) + key[j]! + j;
    turn();
  }
  for (let k = 0; k < n - 1; k++) {
    state[i] = (state[i]! ^ mix(state, i - 1, 1566083941)) - i;
    turn();
  }
  state[0] = 0x8000_0000;
  let at = n;
  return () => {
    if (at === n) {
      for (let k = 0; k < n; k++) {
        const y = (state[k]! & 0x8000_0000) | (state[(k + 1) % n]! & 0x7fff_ffff);
        state[k] = state[(k + 397) % n]! ^ (y >>> 1) ^ (y & 1 ? 0x9908_b0df : 0);
      }
      at = 0;
    }
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    y ^= y >>> 18;
    return y >>> 0;
  };
}

/** `factor` · (s ⊕ (s shifted down by 30)) of the state at a place, modulo 2³². */
function mix(state: Uint32Array, place: number, factor: number): number {
  const s = state[place]!;
  return Math.imul(s ^ (s >>> 30), factor) >>> 0;
}
