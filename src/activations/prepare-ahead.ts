import type { CorpusDocument } from "./corpus.ts";

/** Text prepared before it is asked for: two units. The worker answers in order, so a text sent late waits behind whole decodes. */
const charactersAhead = 2 ** 16;
const documentsAhead = 256;

/** A document and what was made of it. */
export interface PreparedDocument<T> {
  readonly document: CorpusDocument;
  readonly prepared: T;
}

/**
 * Prepares documents, such as by tokenising them, a little ahead of their use, and gives them in order. A failure to read or prepare one
 * comes after those before it; the source is closed when the caller stops.
 */
export async function* prepareAhead<T>(
  documents: AsyncIterable<CorpusDocument> | Iterable<CorpusDocument>,
  prepare: (document: CorpusDocument) => Promise<T>,
): AsyncGenerator<PreparedDocument<T>, void, void> {
  const iterator = Symbol.asyncIterator in documents ? documents[Symbol.asyncIterator]() : documents[Symbol.iterator]();
  const waiting: { readonly document: CorpusDocument; readonly prepared: Promise<T> }[] = [];
  let characters = 0;
  let end: { readonly failure?: { readonly cause: unknown } } | undefined;
  try {
    for (;;) {
      while (!end && waiting.length < documentsAhead && (waiting.length < 2 || characters < charactersAhead)) {
        const next = await Promise.resolve(iterator.next()).catch((cause: unknown) => ({ cause }));
        if ("cause" in next) end = { failure: next };
        else if (next.done) end = {};
        else {
          const prepared = prepare(next.value);
          prepared.catch(() => undefined); // heard when its turn comes
          waiting.push({ document: next.value, prepared });
          characters += next.value.text.length;
        }
      }
      const first = waiting.shift();
      if (!first) break;
      characters -= first.document.text.length;
      yield { document: first.document, prepared: await first.prepared };
    }
    if (end?.failure) throw end.failure.cause;
  } finally {
    if (!end) await iterator.return?.();
  }
}
