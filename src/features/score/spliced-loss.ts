import type { Edit, OpenModel } from "../../engine/open-model.ts";
import { TrimtabError } from "../../errors.ts";
import type { ScoredText } from "./scored-text.ts";

/** Loss of a model by document. */
export interface DocumentLoss {
  /** By document: negative log-probabilities summed over its tokens, nats. */
  readonly sums: Float64Array;
  /** By document: tokens scored. */
  readonly tokens: Float64Array;
}

/**
 * The model's loss on the text with rows written in place of its own at the site: its own rows stay where none are kept (first positions,
 * special tokens, sinks).
 *
 * Scored are all tokens but a window's first two: the first has nothing before it, the second is predicted from a row that nobody replaces.
 *
 * @param made - by unit the rows to write, as `ScoredUnit.rows`; undefined leaves the model alone
 */
export async function splicedLoss(
  model: Pick<OpenModel, "logProbabilities">,
  text: ScoredText,
  made: readonly Float32Array[] | undefined,
  signal: AbortSignal | undefined,
): Promise<DocumentLoss> {
  const sums = new Float64Array(text.documents);
  const tokens = new Float64Array(text.documents);
  for (const [u, { windows }] of text.units.entries()) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    const longer = windows
      .map((window, at) => ({ window, at }))
      .filter(({ window }) => window.window.tokens.length > 2);
    if (longer.length === 0) continue;
    const rows = made?.[u];
    const starts = new Map<number, number>();
    let start = 0;
    for (const [at, { kept }] of windows.entries()) {
      starts.set(at, start);
      start += kept.length;
    }
    const edits = rows
      ? longer.map(({ window: { states, kept, window }, at }, sequence): Edit => {
          const { width, site } = text;
          const vector = states.slice(width);
          kept.forEach((position, n) => {
            const from = ((starts.get(at) as number) + n) * width;
            vector.set(rows.subarray(from, from + width), (position - 1) * width);
          });
          return { kind: "replace-rows", site, vector, range: { start: 1, end: window.tokens.length }, sequence };
        })
      : [];
    const scored = await model.logProbabilities(
      longer.map(({ window: { window } }) => ({
        prompt: window.tokens.slice(0, 1),
        continuations: [window.tokens.slice(1)],
      })),
      { edits, ...(signal && { signal }) },
    );
    for (const [n, { window }] of longer.entries()) {
      const document = text.documentOf(window);
      const values = scored[n]?.[0] as Float64Array;
      for (let at = 1; at < values.length; at++) sums[document] = (sums[document] as number) - (values[at] as number);
      tokens[document] = (tokens[document] as number) + values.length - 1;
    }
  }
  return { sums, tokens };
}
