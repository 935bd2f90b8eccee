import type { OpenModel } from "../../engine/open-model.ts";
import { type Random, seededRandom } from "../../linalg/random.ts";
import { mixSeed } from "../../maps/collect/split-groups.ts";
import { quantile } from "../../maps/score/bootstrap-r2.ts";
import { checkSaeModel } from "../check-sae-model.ts";
import type { Sae } from "../sae.ts";
import type { ModelTextOptions } from "../train/model-rows.ts";
import { openCoders } from "./coders.ts";
import type { SaeArm, SaeScores, ScoredValue } from "./sae-scores.ts";
import { type CodedText, scoreCoder } from "./score-rows.ts";
import { readScoredText } from "./scored-text.ts";
import { type DocumentLoss, splicedLoss } from "./spliced-loss.ts";

export interface ScoreSaeOptions extends Omit<ModelTextOptions, "site"> {
  /** Where the states are read. Default: where the autoencoder was trained. */
  readonly site?: ModelTextOptions["site"] | undefined;
  /** Whether to write the reconstructions into the model and measure its loss. Default true. */
  readonly hasLoss?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what has been done of all. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** Tokens scored where nothing else is said: intervals are then some hundredths wide. */
const defaultTokens = 20_000;
const resamples = 1000;
const level = 0.95;
/** Below so many documents an interval over documents is too narrow. */
const fewDocuments = 20;

/**
 * Scores an autoencoder on text: what it explains of the hidden states, how many features it needs for that, and what is left of the
 * model when its reconstructions stand in place of the states. Beside it stand its nulls, see {@link openCoders}.
 *
 * Explained variance is 1 − FVU over all rows together. Loss recovered is `1 − (loss − clean) / (ablated − clean)` with the mean row and with
 * zeros as ablation; zeros break a model more, so they flatter. Intervals draw documents anew, 1000 times, the same for all arms.
 *
 * At most `maxTokens` (default 20,000) are held in memory. `part` is by default the documents held out from training with `seed`.
 *
 * @throws incompatible for a model of another width; bad-input for text without rows; aborted
 * @see Gao et al., arXiv 2406.04093, section 4; Rajamanoharan et al., arXiv 2407.14435, section 5
 */
export async function scoreSae(
  model: OpenModel,
  sae: Sae,
  { site: asked, hasLoss = true, signal, onProgress, seed = 0, ...options }: ScoreSaeOptions,
): Promise<SaeScores> {
  const { site, warnings } = checkSaeModel(sae, model.description, { site: asked, sha256: await model.sha256() });
  const { part = "held-out", maxTokens = defaultTokens } = options;
  const text = await readScoredText(model, { ...options, part, maxTokens, seed, site }, signal);
  const coders = openCoders(sae, text, seed);
  let done = 0;
  const step = (): void => onProgress?.({ done: ++done, total: 1 + 2 * coders.length });
  const clean = hasLoss ? await splicedLoss(model, text, undefined, signal) : undefined;
  step();
  const measured: Measured[] = [];
  for (const coder of coders) {
    const coded = scoreCoder(coder, text);
    step();
    const loss = hasLoss ? await splicedLoss(model, text, coded.units, signal) : undefined;
    step();
    measured.push({ name: coder.name, ...coded, loss });
  }
  const draws = drawDocuments(text.documents, seededRandom(mixSeed(seed + 23, 0)));
  const lossOf = (name: SaeArm["name"]): DocumentLoss | undefined => measured.find((arm) => arm.name === name)?.loss;
  const baselines = { clean, mean: lossOf("mean row"), zero: lossOf("zero row") };
  const few = text.documents < fewDocuments ? [`${text.documents} documents: intervals over them are too narrow`] : [];
  return {
    model: model.description.name,
    site,
    corpus: {
      name: options.corpus.name,
      part,
      documents: text.documents,
      windows: text.units.reduce((sum, { windows }) => sum + windows.length, 0),
      rows: text.rowCount,
      tokens: clean ? clean.tokens.reduce((sum, n) => sum + n, 0) : 0,
    },
    seed,
    clean: clean && scoredValue(draws, (documents) => meanLoss(clean, documents)),
    arms: measured.map((arm) => toArm(arm, baselines, draws)),
    warnings: [...warnings, ...few],
  };
}

interface Measured extends Omit<CodedText, "units"> {
  readonly name: SaeArm["name"];
  readonly loss: DocumentLoss | undefined;
}

interface Baselines {
  readonly clean: DocumentLoss | undefined;
  readonly mean: DocumentLoss | undefined;
  readonly zero: DocumentLoss | undefined;
}

function toArm({ name, sse, sst, cosine, use, loss }: Measured, baselines: Baselines, draws: Draws): SaeArm {
  const recovered = (ablated: DocumentLoss | undefined): ScoredValue | undefined => {
    const { clean } = baselines;
    if (!loss || !clean || !ablated) return undefined;
    return scoredValue(draws, (documents) => {
      const left = meanLoss(clean, documents);
      return 1 - (meanLoss(loss, documents) - left) / (meanLoss(ablated, documents) - left);
    });
  };
  return {
    name,
    explained: scoredValue(draws, (documents) => 1 - sumOver(sse, documents) / sumOver(sst, documents)),
    cosine,
    use,
    loss: loss && scoredValue(draws, (documents) => meanLoss(loss, documents)),
    recoveredFromMean: recovered(baselines.mean),
    recoveredFromZero: recovered(baselines.zero),
  };
}

/** All documents, and those of each resample. */
interface Draws {
  readonly all: Int32Array;
  readonly drawn: readonly Int32Array[];
}

function drawDocuments(documents: number, random: Random): Draws {
  const all = Int32Array.from({ length: documents }, (_, d) => d);
  const drawn = documents < 2 ? [] : Array.from({ length: resamples }, () => all.map(() => random.integer(documents)));
  return { all, drawn };
}

function scoredValue({ all, drawn }: Draws, statistic: (documents: Int32Array) => number): ScoredValue {
  if (drawn.length === 0) return { value: statistic(all), interval: undefined };
  const values = Float64Array.from(drawn, statistic).sort();
  const tail = (1 - level) / 2;
  const interval = { low: quantile(values, tail), high: quantile(values, 1 - tail), level, resamples };
  return { value: statistic(all), interval };
}

function meanLoss({ sums, tokens }: DocumentLoss, documents: Int32Array): number {
  return sumOver(sums, documents) / sumOver(tokens, documents);
}

function sumOver(values: Float64Array, documents: Int32Array): number {
  let sum = 0;
  for (const d of documents) sum += values[d] as number;
  return sum;
}
