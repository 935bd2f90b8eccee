import { type ContrastPair, toPlainPrompt } from "../../activations/contrast-set.ts";
import { toLoneTexts } from "../../activations/lone-texts.ts";
import { type PairText, toPairTexts } from "../../activations/pair-texts.ts";
import type { ReadPosition } from "../../activations/read-position.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import type { LabelledRows } from "../../vectors/logistic-rows.ts";
import { readMeanRows } from "../../vectors/read-mean-rows.ts";
import type { LabelledText } from "./labelled-texts.ts";

/** Texts with labels and groups, as a model reads them. */
export interface ProbeTextSet {
  readonly texts: readonly PairText[];
  /** `[texts]`: 1 positive, 0 negative. */
  readonly labels: Uint8Array;
  /** `[texts]`: those of one group stay on one side of any split. */
  readonly groups: Int32Array;
  /** The texts themselves, prompts before them. */
  readonly plain: readonly { readonly text: string; readonly label: boolean }[];
}

/** What a probe can learn from: pairs, each a group of two, or labelled texts. */
export type ProbeSource = { readonly pairs: readonly ContrastPair[] } | { readonly labelled: readonly LabelledText[] };

export interface TextSetOptions {
  readonly readAt: ReadPosition;
  readonly parseSpecial?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tokenises what a probe learns from. Texts that stand in several groups join them, so that no text is on both sides of a split.
 *
 * @throws bad-input, naming pair or line; aborted
 */
export async function toProbeTexts(
  model: OpenModel,
  source: ProbeSource,
  options: TextSetOptions,
): Promise<ProbeTextSet> {
  if ("pairs" in source) {
    const { pairs } = source;
    const plain = pairs.flatMap((pair) => [
      { text: toPlainPrompt(pair) + pair.positive, label: true },
      { text: toPlainPrompt(pair) + pair.negative, label: false },
    ]);
    const names = plain.map((_, i) => String(i >> 1));
    return {
      texts: await toPairTexts(model, pairs, options),
      ...toLabels(plain),
      groups: joinGroups(plain, names),
      plain,
    };
  }
  const { labelled } = source;
  const names = labelled.map(({ group }, i) => (group === undefined ? `text ${i}` : `group ${group}`));
  return {
    texts: await toLoneTexts(model, labelled, options),
    ...toLabels(labelled),
    groups: joinGroups(labelled, names),
    plain: labelled,
  };
}

function toLabels(plain: readonly { readonly label: boolean }[]): { readonly labels: Uint8Array } {
  return { labels: Uint8Array.from(plain, ({ label }) => (label ? 1 : 0)) };
}

/** Numbers the groups; groups that share a text are one. */
function joinGroups(plain: readonly { readonly text: string }[], names: readonly string[]): Int32Array {
  const parent = new Map<string, string>();
  const rootOf = (name: string): string => {
    let root = name;
    for (let next = parent.get(root); next !== undefined && next !== root; next = parent.get(root)) root = next;
    return root;
  };
  const ownerOf = new Map<string, string>();
  for (const [i, { text }] of plain.entries()) {
    const [own, other] = [rootOf(names[i]!), ownerOf.get(text)];
    if (other === undefined) ownerOf.set(text, own);
    else if (rootOf(other) !== own) parent.set(own, rootOf(other));
  }
  const numbers = new Map<string, number>();
  return Int32Array.from(names, (name) => {
    const root = rootOf(name);
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root)!;
  });
}

/** Reads the rows of a text set at sites: one row a text, the mean over its positions. @throws engine, aborted */
export async function readProbeRows(
  model: OpenModel,
  { texts, labels }: ProbeTextSet,
  sites: readonly Site[],
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
  } = {},
): Promise<LabelledRows[]> {
  const { width } = model.description;
  const data = sites.map(() => new Float32Array(texts.length * width));
  await readMeanRows(model, texts, {
    ...options,
    sites,
    onRow: (site, text, row) => data[site]!.set(row, text * width),
  });
  return data.map((rows) => ({ rows: texts.length, width, data: rows, labels }));
}

/** The rows of these numbers, in this order. @throws bad-input for a number beyond them */
export function takeRows(rows: LabelledRows, numbers: ArrayLike<number>): LabelledRows {
  const { width } = rows;
  const data = new Float32Array(numbers.length * width);
  const labels = new Uint8Array(numbers.length);
  for (let to = 0; to < numbers.length; to++) {
    const from = numbers[to]!;
    if (!(from >= 0 && from < rows.rows)) throw mismatch("bad-input", "row", `one of ${rows.rows}`, String(from));
    data.set(rows.data.subarray(from * width, (from + 1) * width), to * width);
    labels[to] = rows.labels[from]!;
  }
  return { rows: numbers.length, width, data, labels };
}
