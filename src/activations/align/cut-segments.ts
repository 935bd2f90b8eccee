import type { TextSegment } from "./alignment.ts";

/** A sentence ends with these, closing quotes and brackets behind them, and white space; or, without white space, in scripts that use none. */
const sentenceEnd = /(?:[.!?…]+["'»”’)\]]*(?=\s)|[。！？]+[」』”’）]*|\n)/gu;
const lineEnd = /\n/g;

/**
 * Cuts text into segments whose concatenation is the text: sentences, lines or the whole. White space between two segments begins the
 * second, as byte-pair tokenizers attach it; a segment of white space alone joins the one after it, or at the end the one before.
 *
 * Sentences are found by their full stops, by one rule for all languages and the same on every machine: an abbreviation ends one too,
 * which costs a row of half a sentence and nothing else, since both models get the same text.
 */
export function cutSegments(text: string, kind: TextSegment): readonly string[] {
  if (kind === "documents") return text.trim() === "" ? [] : [text];
  const segments: string[] = [];
  let start = 0;
  for (const { 0: mark, index } of text.matchAll(kind === "lines" ? lineEnd : sentenceEnd)) {
    const end = index + (mark === "\n" ? 0 : mark.length);
    if (text.slice(start, end).trim() === "") continue;
    segments.push(text.slice(start, end));
    start = end;
  }
  const rest = text.slice(start);
  if (rest.trim() !== "") segments.push(rest);
  else if (segments.length > 0) segments.push(`${segments.pop()}${rest}`);
  return segments;
}
