import type { TokenWindow } from "../../activations/windows.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { formatSite, type Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { checkSaeModel } from "../check-sae-model.ts";
import { type ReadFeaturesOptions, readFeatures } from "../read-features.ts";
import type { Sae } from "../sae.ts";
import { checkFeatures } from "./check-features.ts";
import { openTally, type Tally } from "./tally.ts";
import { type MarkedText, textAround } from "./text-around.ts";

/** A place in the text where a feature is active. */
export interface FeatureExample extends MarkedText {
  /** Activation of the feature there. */
  readonly value: number;
  /** File and line of the document, and its position in the corpus. */
  readonly source: string;
  readonly document: number;
  readonly window: number;
  /** Token position in the window. */
  readonly position: number;
}

/** How a feature's activity is spread over tokens. */
export interface FeatureToken {
  readonly token: number;
  readonly text: string;
  /** Rows of this token at which the feature is active, and their share of all active rows. */
  readonly rows: number;
  readonly share: number;
  /** Mean activation on them. */
  readonly mean: number;
}

/** What a feature does over a text. */
export interface FeatureSummary {
  readonly feature: number;
  /** Rows at which it is active, their share of all rows, and documents with at least one. */
  readonly active: number;
  readonly firingRate: number;
  readonly documents: number;
  /** Of the activations above 0; null where there are none. Quantiles to 0.6 %. */
  readonly values: {
    readonly mean: number;
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  } | null;
  /** Tokens with most active rows, most first. */
  readonly tokens: readonly FeatureToken[];
  /** Strongest first, at most one of a window. */
  readonly examples: readonly FeatureExample[];
}

export interface FeatureExamples {
  readonly site: Site;
  /** Text that was read. */
  readonly documents: number;
  readonly windows: number;
  readonly rows: number;
  readonly leftOut: { readonly first: number; readonly special: number; readonly sink: number };
  readonly features: readonly FeatureSummary[];
  readonly warnings: readonly string[];
}

export interface FindExamplesOptions extends Pick<ReadFeaturesOptions, "site" | "signal"> {
  /** Examples of each feature at most. Default 10. */
  readonly top?: number | undefined;
  /** Tokens shown before and after the token. Default 24 and 8. */
  readonly around?: { readonly before: number; readonly after: number } | undefined;
  /** Tokens listed of each feature at most. Default 10. */
  readonly tokens?: number | undefined;
  readonly onProgress?: ((progress: { readonly rows: number; readonly fraction: number }) => void) | undefined;
}

/**
 * Reads text through a model and finds, for some features of an autoencoder, where they are strongest, how often they fire, how their
 * activations are spread, and on which tokens.
 *
 * The text is streamed once for all features; what is kept of each does not grow with it (but for one count for each different token).
 *
 * @throws bad-input for features that the autoencoder lacks, or text without rows; incompatible for another width; engine; aborted
 */
export async function findExamples(
  model: OpenModel,
  sae: Sae,
  windows: AsyncIterable<TokenWindow>,
  features: readonly number[],
  options: FindExamplesOptions = {},
): Promise<FeatureExamples> {
  const { top = 10, around = { before: 24, after: 8 }, tokens: listed = 10, onProgress, signal } = options;
  checkFeatures(features, sae.features);
  const { site, warnings } = checkSaeModel(sae, model.description, { site: options.site });
  const tallies = features.map(() => openTally(top));
  const slots = new Int32Array(sae.features).fill(-1);
  features.forEach((feature, slot) => {
    slots[feature] = slot;
  });
  const leftOut = { first: 0, special: 0, sink: 0 };
  let [rows, count, document, documents] = [0, 0, -1, 0];
  for await (const one of readFeatures(model, sae, windows, { site, ...(signal && { signal }) })) {
    const { window } = one;
    count++;
    rows += one.tokens.length;
    if (window.document.index !== document) documents++;
    document = window.document.index;
    leftOut.first += one.leftOut.first;
    leftOut.special += one.leftOut.special;
    leftOut.sink += one.leftOut.sink;
    const { offsets, indices, values } = one.features;
    for (let i = 0; i < one.features.rows; i++)
      for (let k = offsets[i] as number; k < (offsets[i + 1] as number); k++) {
        const slot = slots[indices[k] as number] as number;
        if (slot >= 0) tallies[slot]?.add(values[k] as number, one, i);
      }
    for (const tally of tallies) tally.endWindow(window, around);
    onProgress?.({ rows, fraction: window.document.fraction });
  }
  if (rows === 0)
    throw mismatch("bad-input", "text", "rows to encode", "none", {
      hint: `every token was a first position, special, or longer than all others at ${formatSite(site)}`,
    });
  return {
    site,
    documents,
    windows: count,
    rows,
    leftOut,
    warnings,
    features: await Promise.all(
      features.map((feature, slot) => summarise(model, feature, tallies[slot] as Tally, { rows, listed })),
    ),
  };
}

async function summarise(
  model: OpenModel,
  feature: number,
  tally: Tally,
  { rows, listed }: { readonly rows: number; readonly listed: number },
): Promise<FeatureSummary> {
  const { active, documents, sum, histogram, byToken, examples } = tally.read();
  const most = [...byToken].sort(([a, x], [b, y]) => y.rows - x.rows || y.sum - x.sum || a - b).slice(0, listed);
  const tokens: FeatureToken[] = [];
  for (const [token, found] of most)
    tokens.push({
      token,
      text: await model.detokenize(Int32Array.of(token), { special: true }),
      rows: found.rows,
      share: found.rows / active,
      mean: found.sum / found.rows,
    });
  const shown: FeatureExample[] = [];
  for (const { value, item } of examples.list()) {
    const { source, document, window, position } = item;
    shown.push({ value, ...(await textAround(model, item.tokens, item.at)), source, document, window, position });
  }
  const quantile = (p: number): number => histogram.quantile(p) as number;
  return {
    feature,
    active,
    firingRate: active / rows,
    documents,
    values:
      active === 0
        ? null
        : { mean: sum / active, p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), max: quantile(1) },
    tokens,
    examples: shown,
  };
}
