import { type Corpus, type CorpusDocument, toCorpus } from "../../activations/corpus.ts";
import { toWindows } from "../../activations/windows.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { mismatch } from "../../errors.ts";
import { seededRandom } from "../../linalg/random.ts";

/** Windows of some documents; `documents[w]` numbers the document of window w from 0. */
export interface StudyText {
  readonly windows: readonly Int32Array[];
  readonly documents: readonly number[];
}

/** Documents by what they are for; no document is in two parts. */
export interface SplitText {
  /** Fits maps. */
  readonly fit: Corpus;
  /** Some of those that fit, in windows, to tune on. */
  readonly tuning: StudyText;
  /** Chooses what is tuned, and how far. */
  readonly validation: StudyText;
  readonly heldOut: StudyText;
  readonly counts: { readonly fit: number; readonly validation: number; readonly heldOut: number };
}

export interface SplitTextOptions {
  readonly heldOut: number;
  readonly validation: number;
  readonly tuning: number;
  readonly context: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** Documents that a study reads at most: beyond, a corpus is cut and the study says so. */
const mostDocuments = 20_000;

/**
 * Deals the documents of a corpus out by chance: some are held out, some choose, the rest fit.
 *
 * @throws bad-input for a corpus of fewer documents than that takes; as the corpus
 */
export async function splitText(
  model: Pick<OpenModel, "context" | "description" | "tokenize">,
  corpus: Corpus,
  { heldOut, validation, tuning, context, seed, signal }: SplitTextOptions,
): Promise<SplitText> {
  const all: CorpusDocument[] = [];
  for await (const document of corpus.documents({ signal })) {
    all.push(document);
    if (all.length >= mostDocuments) break;
  }
  const needed = heldOut + validation + Math.max(10, heldOut);
  if (all.length < needed)
    throw mismatch("bad-input", corpus.name, `at least ${needed} documents`, String(all.length), {
      hint: "hold fewer out, or take a longer corpus",
    });
  const order = seededRandom(seed).shuffle(all);
  const rest = order.slice(heldOut + validation);
  const cut = async (documents: readonly CorpusDocument[]): Promise<StudyText> => {
    const [windows, numbers]: [Int32Array[], number[]] = [[], []];
    for (const [number, document] of documents.entries())
      for await (const { tokens } of toWindows(model, [document], { context })) {
        windows.push(tokens);
        numbers.push(number);
      }
    return { windows, documents: numbers };
  };
  return {
    fit: toCorpus(
      corpus.name,
      rest.map(({ text }) => text),
    ),
    tuning: await cut(rest.slice(0, tuning)),
    validation: await cut(order.slice(heldOut, heldOut + validation)),
    heldOut: await cut(order.slice(0, heldOut)),
    counts: { fit: rest.length, validation, heldOut },
  };
}
