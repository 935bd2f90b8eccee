import type { CorpusDocument } from "../corpus.ts";
import { cutText } from "../cut-text.ts";
import { prepareAhead } from "../prepare-ahead.ts";
import {
  checkContext,
  createUnits,
  defaultContext,
  groupWindows,
  type TokenWindow,
  type WindowOptions,
  windowHead,
} from "../windows.ts";
import type { PositionRuns } from "./aligned-text.ts";
import type { Alignment } from "./alignment.ts";
import { cutSegments } from "./cut-segments.ts";
import type { AlignedModel } from "./span-windows.ts";

/** A segment in the tokens of both models. */
interface Segment {
  readonly source: Int32Array;
  readonly target: Int32Array;
}

/** An alignment whose rows are pieces of text. */
export type SegmentAlignment = Extract<Alignment, { readonly pool: string }>;

/**
 * Cuts documents into windows of whole segments (sentences, lines, documents), each of which is a row: for any two tokenizers, even such
 * as change the text, since each segment is tokenised by itself.
 *
 * A window holds as many segments of a document as both models' contexts do; a document that is a segment has windows to itself. A segment
 * longer than a window is cut at line ends and spaces, and each part is a row. The first position of a window, BOS or not, stands in no row.
 * Where a tokenizer puts a space before a text, that of a segment in the middle takes the place of the text's own.
 *
 * @throws bad-input for `context`; unsupported for a tokenizer that adds a BOS which it does not name
 */
export async function* toSegmentWindows(
  source: AlignedModel,
  target: AlignedModel,
  documents: AsyncIterable<CorpusDocument> | Iterable<CorpusDocument>,
  { kind, pool }: SegmentAlignment,
  { context = defaultContext }: WindowOptions = {},
): AsyncGenerator<TokenWindow, void, void> {
  for (const model of [source, target]) checkContext(context, model);
  const heads = { source: windowHead(source.description), target: windowHead(target.description) };
  const room = { source: context - heads.source.length, target: context - heads.target.length };
  const tokenisers = [await createTokeniser(source), await createTokeniser(target)] as const;
  const tokenise = async (text: string, isFirst: boolean): Promise<readonly Segment[]> => {
    const [a, b] = await Promise.all([tokenisers[0](text, isFirst), tokenisers[1](text, isFirst)]);
    if (a.length <= room.source && b.length <= room.target) return [{ source: a, target: b }];
    // A character that takes more tokens than a window holds stands in no row.
    if (text.length <= 2) return [];
    const parts = [...cutText(text, Math.ceil(text.length / 2))].filter((part) => part.trim() !== "");
    const cut = await Promise.all(parts.map((part, at) => tokenise(part, isFirst && at === 0)));
    return cut.flat();
  };
  const prepare = async ({ text }: CorpusDocument): Promise<readonly Segment[]> => {
    const segments = await Promise.all(cutSegments(text, kind).map((segment, at) => tokenise(segment, at === 0)));
    return segments.flat().filter((segment) => segment.source.length > 0 && segment.target.length > 0);
  };
  const unitOf = createUnits();
  let [index, group] = [0, -1];
  for await (const { document, prepared } of prepareAhead(documents, prepare)) {
    const windows = [...fillWindows(prepared, room)];
    for (const [at, segments] of windows.entries()) {
      const tokens = Int32Array.of(...heads.source, ...segments.flatMap((segment) => [...segment.source]));
      const others = Int32Array.of(...heads.target, ...segments.flatMap((segment) => [...segment.target]));
      const lengths = (side: "source" | "target") => segments.map((segment) => segment[side].length);
      const runs = pairRuns(
        toRuns(lengths("source"), heads.source.length, pool),
        toRuns(lengths("target"), heads.target.length, pool),
      );
      if (runs.source.last.length === 0) continue;
      if (at % groupWindows === 0) group++;
      const unit = unitOf({ length: Math.max(tokens.length, others.length) });
      const aligned = { tokens: others, ...runs, lost: { source: 0, target: 0 } };
      yield { index, unit, group, document, tokens, endsDocument: at === windows.length - 1, aligned };
      index++;
    }
  }
}

function* fillWindows(
  segments: readonly Segment[],
  room: { readonly source: number; readonly target: number },
): Generator<readonly Segment[], void, void> {
  let window: Segment[] = [];
  let used = { source: 0, target: 0 };
  for (const segment of segments) {
    const next = { source: used.source + segment.source.length, target: used.target + segment.target.length };
    if (window.length > 0 && (next.source > room.source || next.target > room.target)) {
      yield window;
      window = [];
      used = { source: 0, target: 0 };
    }
    window.push(segment);
    used = { source: used.source + segment.source.length, target: used.target + segment.target.length };
  }
  if (window.length > 0) yield window;
}

/** Positions of each segment, less the window's first; empty where nothing else is left. */
function toRuns(lengths: readonly number[], head: number, pool: "mean" | "last"): PositionRuns {
  const first: number[] = [];
  const last: number[] = [];
  let start = head;
  for (const length of lengths) {
    const end = start + length - 1;
    last.push(end);
    first.push(pool === "last" ? end : Math.max(1, start));
    start = end + 1;
  }
  return { first: Int32Array.from(first), last: Int32Array.from(last) };
}

/** Leaves out segments of which one side has only the first position. */
function pairRuns(source: PositionRuns, target: PositionRuns): { source: PositionRuns; target: PositionRuns } {
  const isRow = (_: number, row: number): boolean =>
    (source.last[row] as number) > 0 && (target.last[row] as number) > 0;
  const only = ({ first, last }: PositionRuns): PositionRuns => ({
    first: first.filter(isRow),
    last: last.filter(isRow),
  });
  return { source: only(source), target: only(target) };
}

/** Tokenises a segment as it would stand in its text: a space that the tokenizer adds takes the place of the text's own. */
async function createTokeniser(model: AlignedModel): Promise<(text: string, isFirst: boolean) => Promise<Int32Array>> {
  const pieces = await model.tokenBytes(await model.tokenize("a", { addSpecial: false, parseSpecial: false }));
  const addsSpace = pieces.find(({ length }) => length > 0)?.[0] === 0x20;
  return (text, isFirst) => {
    const own = addsSpace && !isFirst && text.startsWith(" ") ? text.slice(1) : text;
    return model.tokenize(own, { addSpecial: false, parseSpecial: false });
  };
}
