/** Where tokens end in a text. */
export interface TokenEnds {
  /** Byte offset behind each token, `[spelled]`, ascending; tokens without bytes end where the one before them does. */
  readonly ends: Int32Array;
  /** Tokens, from the first, that spell the text byte for byte: all of them unless the tokenizer changes text. */
  readonly spelled: number;
  /** Whether the tokens spell the text to its last byte. */
  readonly isWhole: boolean;
}

const space = 0x20;

/**
 * Finds where tokens end in a text, by their bytes.
 *
 * Pieces are held against the text one after the other. Tokenizers of the SentencePiece kind put a space before the text: one that the
 * text lacks is passed over. Where a piece does not say what stands in the text, because the tokenizer lower-cases or normalises, the
 * places of all tokens from there on are unknown. Offsets are bytes of UTF-8, so that tokens may end within a character.
 */
export function findTokenEnds(pieces: readonly Uint8Array[], text: Uint8Array): TokenEnds {
  // Counted, not looked at: a text may begin with spaces of its own.
  const isPrefixed = leadingSpaces(pieces) === leadingSpaces([text]) + 1;
  const ends = new Int32Array(pieces.length);
  let at = isPrefixed ? -1 : 0;
  for (const [token, piece] of pieces.entries()) {
    for (const byte of piece) {
      if (at >= 0 && text[at] !== byte) return { ends: ends.slice(0, token), spelled: token, isWhole: false };
      at++;
    }
    ends[token] = Math.max(0, at);
  }
  return { ends, spelled: pieces.length, isWhole: at === text.length };
}

function leadingSpaces(pieces: readonly Uint8Array[]): number {
  let count = 0;
  for (const piece of pieces)
    for (const byte of piece) {
      if (byte !== space) return count;
      count++;
    }
  return count;
}

/** Tokens of two tokenizations that end together: `source[i]` and `target[i]` end at `offsets[i]`, ascending in all three. */
export interface SpanPairs {
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly offsets: Int32Array;
}

/**
 * Pairs the tokens of two tokenizations of one text that end at the same byte: at every boundary that both have, the last token of each.
 *
 * Both have read exactly the same text there, which is what a row compares. Offset 0, where nothing has been read, is no boundary.
 *
 * @param source - byte offsets behind the tokens of one, ascending
 * @param target - the same of the other
 */
export function pairSpans(source: Int32Array, target: Int32Array): SpanPairs {
  const pairs: [number, number, number][] = [];
  let at = 0;
  for (let s = 0; s < source.length; s++) {
    const end = source[s] as number;
    if (end === 0 || source[s + 1] === end) continue;
    while (at < target.length && (target[at] as number) < end) at++;
    if (target[at] !== end) continue;
    while (target[at + 1] === end) at++;
    pairs.push([s, at, end]);
  }
  return {
    source: Int32Array.from(pairs, ([s]) => s),
    target: Int32Array.from(pairs, ([, t]) => t),
    offsets: Int32Array.from(pairs, ([, , offset]) => offset),
  };
}
