import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  describeAlignment,
  formatAlignment,
  parseAlignment,
  resolveAlignment,
} from "../../src/activations/align/alignment.ts";
import { cutSegments } from "../../src/activations/align/cut-segments.ts";
import { cutTogether } from "../../src/activations/align/cut-together.ts";
import { findTokenEnds, pairSpans } from "../../src/activations/align/span-pairs.ts";
import type { OpenModel } from "../../src/engine/open-model.ts";
import { openDemo } from "../engine/demo-models.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Any text with any two ways to cut its bytes into tokens, tokens without bytes and cuts within characters among them. */
const twoCuts = fc.string({ unit: "grapheme", maxLength: 40 }).chain((text) => {
  const { length } = encode(text);
  const cuts = fc
    .array(fc.integer({ min: 0, max: length }), { maxLength: 30 })
    .map((inner) => Int32Array.from([...inner, ...(length > 0 ? [length] : [])]).sort());
  return fc.tuple(fc.constant(text), cuts, cuts);
});

/** Pieces of bytes between cuts. */
function piecesOf(text: string, ends: Int32Array): Uint8Array[] {
  const bytes = encode(text);
  return Array.from(ends, (end, at) => bytes.slice(at === 0 ? 0 : ends[at - 1], end));
}

describe("pairSpans(source, target)", () => {
  test("pairs exactly the boundaries that both have, ascending, the last token of each", () => {
    fc.assert(
      fc.property(twoCuts, ([, a, b]) => {
        const { source, target, offsets } = pairSpans(a, b);
        const shared = [...new Set(a)].filter((end) => end > 0 && b.includes(end)).sort((x, y) => x - y);
        expect([...offsets]).toEqual(shared);
        expect([...source]).toEqual(shared.map((end) => a.lastIndexOf(end)));
        expect([...target]).toEqual(shared.map((end) => b.lastIndexOf(end)));
      }),
    );
  });

  test("pairs every token of one tokenization with itself, and the sides of two the other way round", () => {
    fc.assert(
      fc.property(twoCuts, ([, a, b]) => {
        const forward = pairSpans(a, b);
        const back = pairSpans(b, a);
        expect([back.target, back.source, back.offsets]).toEqual([forward.source, forward.target, forward.offsets]);
        const distinct = Int32Array.from(new Set(a.filter((end) => end > 0)));
        expect(pairSpans(distinct, distinct).source).toEqual(Int32Array.from(distinct.keys()));
      }),
    );
  });
});

describe("findTokenEnds(pieces, text)", () => {
  test("gives back the places at which any text was cut", () => {
    fc.assert(
      fc.property(twoCuts, ([text, ends]) => {
        expect(findTokenEnds(piecesOf(text, ends), encode(text))).toEqual({
          ends,
          spelled: ends.length,
          isWhole: true,
        });
      }),
    );
  });

  test("passes over the space that a tokenizer puts before a text", () => {
    const found = findTokenEnds(
      ["▁The", "▁dog"].map((piece) => encode(piece.replace("▁", " "))),
      encode("The dog"),
    );
    expect(found).toEqual({ ends: Int32Array.of(3, 7), spelled: 2, isWhole: true });
    const alone = findTokenEnds([" ", "The", " dog"].map(encode), encode("The dog"));
    expect(alone.ends).toEqual(Int32Array.of(0, 3, 7));
    const both = findTokenEnds(["  ", "The"].map(encode), encode(" The"));
    expect(both).toEqual({ ends: Int32Array.of(1, 4), spelled: 2, isWhole: true });
    // A space that the text has is the text's.
    expect(findTokenEnds([" The"].map(encode), encode(" The")).ends).toEqual(Int32Array.of(4));
  });

  test("stops where the tokens no longer spell the text, as those of a tokenizer that lower-cases", () => {
    fc.assert(
      fc.property(twoCuts, fc.nat(), ([text, ends], seed) => {
        const pieces = piecesOf(text, ends);
        const full = pieces.flatMap(({ length }, at) => (length > 0 ? [at] : []));
        if (full.length === 0) return;
        const broken = full[seed % full.length] as number;
        // 0xff stands in no UTF-8.
        const changed = pieces.map((piece, at) => (at === broken ? piece.map(() => 0xff) : piece));
        expect(findTokenEnds(changed, encode(text))).toEqual({
          ends: ends.slice(0, broken),
          spelled: broken,
          isWhole: false,
        });
      }),
    );
    const short = findTokenEnds([encode("a")], encode("ab"));
    expect(short.isWhole).toBe(false);
  });
});

test("cutTogether(document, heads, context) cuts windows of one text within both contexts, and counts what stands in none", () => {
  const heads = fc.constantFrom<readonly number[]>([], [-1]);
  fc.assert(
    fc.property(twoCuts, heads, heads, fc.integer({ min: 2, max: 9 }), ([text, a, b], headA, headB, context) => {
      const [source, target] = [Int32Array.from(a.keys()), Int32Array.from(b.keys())];
      const pairs = pairSpans(a, b);
      const { windows, left } = cutTogether(
        { source, target, pairs, isWhole: true },
        { source: headA, target: headB },
        context,
      );
      const bytes = encode(text);
      const textOf = (ends: Int32Array, tokens: Int32Array): Uint8Array => {
        const own = tokens.filter((token) => token >= 0);
        return bytes.slice(own[0] === 0 ? 0 : ends[(own[0] as number) - 1], ends[own.at(-1) as number]);
      };
      let [usedA, usedB, rows] = [left.source, left.target, 0];
      for (const { tokens, aligned } of windows) {
        expect(Math.max(tokens.length, aligned.tokens.length)).toBeLessThanOrEqual(context);
        expect(textOf(a, tokens)).toEqual(textOf(b, aligned.tokens));
        expect(aligned.source.last.length).toBe(aligned.target.last.length);
        expect(aligned.source.last.length).toBeGreaterThan(0);
        aligned.source.last.forEach((position, row) => {
          expect(Math.min(position, aligned.target.last[row] as number)).toBeGreaterThan(0);
          // Both tokens of a row end at one byte.
          expect(a[tokens[position] as number]).toBe(b[aligned.tokens[aligned.target.last[row] as number] as number]);
        });
        usedA += tokens.length - headA.length + aligned.lost.source;
        usedB += aligned.tokens.length - headB.length + aligned.lost.target;
        rows += aligned.source.last.length;
      }
      expect([usedA, usedB]).toEqual([a.length, b.length]);
      expect(rows).toBeLessThanOrEqual(pairs.source.length);
    }),
  );
});

describe("cutSegments(text, kind)", () => {
  test("cuts any text into segments that are the text again, none of them white space alone", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(" ", "\n", ".", "!", "?", '"', "。", "a", "Bé", "😀"), { maxLength: 40 }),
        fc.constantFrom("sentences" as const, "lines" as const, "documents" as const),
        (parts, kind) => {
          const text = parts.join("");
          const segments = cutSegments(text, kind);
          expect(segments.join("")).toBe(text.trim() === "" ? "" : text);
          for (const segment of segments) expect(segment.trim()).not.toBe("");
        },
      ),
    );
  });

  test("ends a sentence at its stop with quotes and white space behind it, and at a line end", () => {
    const text = 'He said "Go." Then 3.14 came… Why?\nNo stop\n\nLast one';
    expect(cutSegments(text, "sentences")).toEqual([
      'He said "Go."',
      " Then 3.14 came…",
      " Why?",
      "\nNo stop",
      "\n\nLast one",
    ]);
    expect(cutSegments("你好。再见！", "sentences")).toEqual(["你好。", "再见！"]);
    expect(cutSegments("a. b\nc", "lines")).toEqual(["a. b", "\nc"]);
    expect(cutSegments("a. b\nc", "documents")).toEqual(["a. b\nc"]);
  });
});

describe("alignments", () => {
  test("parseAlignment(formatAlignment(a)) is a, and other words are refused", () => {
    for (const text of ["ids", "spans", "sentences@mean", "lines@last", "documents@mean"]) {
      expect(formatAlignment(parseAlignment(text))).toBe(text);
      expect(describeAlignment(parseAlignment(text))).toMatch(/row/);
    }
    expect(parseAlignment("sentences")).toEqual({ kind: "sentences", pool: "mean" });
    for (const text of ["", "auto", "spans@mean", "ids@last", "sentences@first", "words", "SPANS"])
      expect(() => parseAlignment(text)).toThrow(/^alignment: expected ids, spans, sentences/);
  });
});

describe("the demo models' tokens", () => {
  let small: OpenModel;
  let large: OpenModel;
  beforeAll(async () => {
    [small, large] = await Promise.all([openDemo("xs1k"), openDemo("m")]);
  }, 60_000);
  afterAll(() => Promise.all([small.close(), large.close()]));

  interface Case {
    readonly text: string;
    readonly xs1k: { readonly ids: number[]; readonly ends: number[] };
    readonly m: { readonly ids: number[]; readonly ends: number[] };
    readonly shared: number[];
  }
  const cases = JSON.parse(readFileSync(resolve("test/fixtures/align/spans.json"), "utf8")) as Case[];

  test("end and pair where the Python tokenizer says, in characters of several bytes too", async () => {
    for (const { text, xs1k, m, shared } of cases) {
      const endsOf = async (model: OpenModel, { ids, ends }: Case["m"]): Promise<Int32Array> => {
        const tokens = await model.tokenize(text, { addSpecial: false });
        expect([...tokens]).toEqual(ids);
        const found = findTokenEnds(await model.tokenBytes(tokens), encode(text));
        expect([...found.ends]).toEqual(ends);
        expect(found.isWhole).toBe(true);
        return found.ends;
      };
      const pairs = pairSpans(await endsOf(small, xs1k), await endsOf(large, m));
      expect([...pairs.offsets]).toEqual(shared);
    }
  });

  test("tokenBytes(tokens) are the text's, of special tokens their name, of no tokens nothing", async () => {
    const bos = small.description.tokenizer.bos as number;
    const named = await small.tokenBytes(Int32Array.of(bos));
    expect(new TextDecoder().decode(named[0])).toBe("<|endoftext|>");
    expect(await small.tokenBytes(new Int32Array())).toEqual([]);
    await expect(small.tokenBytes(Int32Array.of(1024))).rejects.toMatchObject({ code: "bad-input" });
  });

  test("resolveAlignment(asked, source, target) takes spans for them by default, and refuses ids with a way out", () => {
    const [a, b] = [small.description, large.description];
    expect(resolveAlignment(undefined, a, b)).toEqual({ kind: "spans" });
    expect(resolveAlignment(undefined, b, b)).toEqual({ kind: "ids" });
    expect(resolveAlignment({ kind: "spans" }, b, b)).toEqual({ kind: "spans" });
    expect(() => resolveAlignment({ kind: "ids" }, a, b)).toThrow(/^tokenizers: expected/);
    const silent = { ...b, tokenizer: { ...b.tokenizer, addsBos: false } };
    expect(resolveAlignment(undefined, b, silent)).toEqual({ kind: "spans" });
  });
});
