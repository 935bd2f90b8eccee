import type { ContrastPair } from "../../activations/contrast-set.ts";
import { type PairText, toPairTexts } from "../../activations/pair-texts.ts";
import type { ReadPosition } from "../../activations/read-position.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import { checkSaeModel } from "../check-sae-model.ts";
import { encodeRows } from "../encode.ts";
import type { FeatureRows, Sae } from "../sae.ts";
import { createSparseBuilder } from "../sparse-builder.ts";
import type { SparseRows } from "../sparse-rows.ts";

export interface ReadPairFeaturesOptions {
  /** Where the states are read. Default: where the autoencoder was trained. */
  readonly site?: Site | undefined;
  /** Positions of a text that are read; their activations are averaged. Default `difference-mean`. */
  readonly readAt?: ReadPosition | undefined;
  /** Reads `<|…|>` in the texts as special tokens. */
  readonly parseSpecial?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** Rows that are encoded together at least. */
const rowsTogether = 512;

/**
 * Reads the features of contrast pairs: one row `[features]` a text, the mean activation over the positions read, in the order p₀⁺ p₀⁻ p₁⁺
 * p₁⁻ …
 *
 * The rows are encoded one by one and then averaged, because a feature that is active on one word only would be lost in a mean of states.
 *
 * @throws bad-input, naming the pair, for texts too long or too short; incompatible for an autoencoder of another width; engine; aborted
 */
export async function readPairFeatures(
  model: OpenModel,
  sae: Sae,
  pairs: readonly ContrastPair[],
  options: ReadPairFeaturesOptions = {},
): Promise<FeatureRows> {
  const { readAt = "difference-mean", parseSpecial = false, signal, onProgress } = options;
  const { site } = checkSaeModel(sae, model.description, { site: options.site });
  const texts = await toPairTexts(model, pairs, { readAt, parseSpecial, signal });
  const builder = createSparseBuilder(texts.length, sae.features);
  const windows = texts.map(({ tokens }) => tokens);
  let waiting: Float32Array[] = [];
  let [rows, first] = [0, 0];
  const flush = (end: number): void => {
    const X = new Float32Array(rows * sae.width);
    let at = 0;
    for (const part of waiting) {
      X.set(part, at);
      at += part.length;
    }
    addMeans(encodeRows(sae, X), texts.slice(first, end), builder);
    waiting = [];
    [rows, first] = [0, end];
  };
  for await (const { index, states } of model.readStates(windows, { sites: [site], ...(signal && { signal }) })) {
    const { positions } = texts[index] as PairText;
    waiting.push(takeRows(states[0] as Float32Array, positions, sae.width));
    rows += positions.length;
    if (rows >= rowsTogether || index === texts.length - 1) flush(index + 1);
    onProgress?.({ done: index + 1, total: texts.length });
  }
  return builder.build();
}

function takeRows(state: Float32Array, positions: readonly number[], width: number): Float32Array {
  const taken = new Float32Array(positions.length * width);
  positions.forEach((position, to) => {
    taken.set(state.subarray(position * width, (position + 1) * width), to * width);
  });
  return taken;
}

function addMeans(F: SparseRows, texts: readonly PairText[], builder: ReturnType<typeof createSparseBuilder>): void {
  let row = 0;
  for (const { positions } of texts) {
    const sums = new Map<number, number>();
    for (let i = row; i < row + positions.length; i++)
      for (let k = F.offsets[i] as number; k < (F.offsets[i + 1] as number); k++) {
        const feature = F.indices[k] as number;
        sums.set(feature, (sums.get(feature) ?? 0) + (F.values[k] as number));
      }
    for (const [feature, sum] of [...sums].sort(([a], [b]) => a - b)) builder.add(feature, sum / positions.length);
    builder.endRow();
    row += positions.length;
  }
}
