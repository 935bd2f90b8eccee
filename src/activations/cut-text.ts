/** Characters a document may have before it is cut: about 60 thousand tokens, more than most contexts, little enough to tokenise at once. */
export const maxDocumentLength: number = 2 ** 18;

/**
 * Cuts text into parts of at most `limit` characters: after the last line end or else the last space before the limit, and only
 * where there is neither in the middle of a word (never inside a surrogate pair). Joined, the parts are the text.
 */
export function* cutText(text: string, limit: number = maxDocumentLength): Generator<string, void, void> {
  let start = 0;
  while (text.length - start > limit) {
    const end = cutBefore(text, start, start + limit);
    yield text.slice(start, end);
    start = end;
  }
  yield text.slice(start);
}

function cutBefore(text: string, start: number, limit: number): number {
  const line = text.lastIndexOf("\n", limit - 1);
  if (line > start) return line + 1;
  // Byte-pair tokenizers attach a space to the word after it, so the cut comes before the space.
  const space = text.lastIndexOf(" ", limit - 1);
  if (space > start) return space;
  const code = text.charCodeAt(limit - 1);
  return code >= 0xd800 && code < 0xdc00 && limit - 1 > start ? limit - 1 : limit;
}
