import type { ReadPosition } from "../../activations/read-position.ts";
import { toIdentity } from "../../engine/description.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { checkSite, type Site } from "../../engine/site.ts";
import { mean } from "../../evaluate/statistics.ts";
import { fitProbe } from "../../features/probes/fit-probe.ts";
import { hashTexts } from "../../features/probes/labelled-texts.ts";
import { measureScores } from "../../features/probes/measure-scores.ts";
import { applyProbe, checkProbe, type Probe, type ProbeKind } from "../../features/probes/probe.ts";
import { type ProbeSource, readProbeRows, takeRows, toProbeTexts } from "../../features/probes/probe-rows.ts";
import { splitRows } from "../../features/probes/split-rows.ts";
import { seededRandom } from "../../linalg/random.ts";
import { trimtabVersion } from "../../models/trimtab-version.ts";
import type { LabelledRows } from "../../vectors/logistic-rows.ts";
import { type MeasuredScores, measureArms } from "./measure-arms.ts";
import { scoreByTokens } from "./token-probe.ts";

export interface TrainProbeOptions {
  readonly site: Site;
  /** Default logistic. */
  readonly kind?: ProbeKind;
  /** Penalty of a logistic probe. Default 1. */
  readonly lambda?: number | undefined;
  /** Default all-mean: what any text has, and what a map fitted on all rows carries well. */
  readonly readAt?: ReadPosition;
  readonly parseSpecial?: boolean;
  /** What the texts are called, for the file. */
  readonly name: string;
  readonly concept?: string | undefined;
  /** Share of the groups of texts held out. Default 0.5. */
  readonly heldOut?: number | undefined;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

export interface TrainedProbe {
  readonly probe: Probe;
  /** On texts held out. */
  readonly scores: MeasuredScores;
  /** A probe of the words alone, on the same texts. */
  readonly tokens: MeasuredScores;
  /** AUROC with the labels of the training texts shuffled, by draw. */
  readonly shuffled: readonly number[];
  readonly warnings: readonly string[];
}

/** Draws of shuffled labels: their mean is known to a few hundredths. */
export const shuffledDraws = 20;

/**
 * Trains a linear probe on half of the texts and scores it on the others, beside a probe of the words alone and probes of shuffled labels.
 *
 * Pairs are split as pairs, labelled texts by their group, and texts that occur twice stay together.
 *
 * @throws bad-input for a site, texts or options that do not fit; engine; aborted
 */
export async function trainProbe(
  model: OpenModel,
  source: ProbeSource,
  options: TrainProbeOptions,
): Promise<TrainedProbe> {
  const { site, kind = "logistic", lambda, readAt = "all-mean", parseSpecial = false, seed, signal } = options;
  checkSite(site, model.description.blocks);
  const texts = await toProbeTexts(model, source, { readAt, parseSpecial, signal });
  const split = splitRows(texts, { seed, ...(options.heldOut !== undefined && { share: options.heldOut }) });
  const [rows] = (await readProbeRows(model, texts, [site], options)) as [LabelledRows];
  const [trained, held] = [takeRows(rows, split.trained), takeRows(rows, split.heldOut)];
  const choice = { kind, ...(lambda !== undefined && { lambda }) };
  const plane = fitProbe(trained, choice);
  const windows = texts.texts.map(({ tokens }) => tokens);
  const byTokens = scoreByTokens(windows, texts.labels, { trained: split.trained, scored: split.heldOut });
  const groups = Int32Array.from(split.heldOut, (i) => texts.groups[i]!);
  const [scores, tokens] = measureArms([applyProbe(plane, held.data), byTokens], {
    labels: held.labels,
    groups,
    seed,
  }) as [MeasuredScores, MeasuredScores];
  const random = seededRandom(seed);
  const shuffled = Array.from({ length: shuffledDraws }, () => {
    const labels = Uint8Array.from(random.shuffle(trained.labels));
    return measureScores(applyProbe(fitProbe({ ...trained, labels }, choice), held.data), held.labels).auroc;
  });
  const { description } = model;
  const probe = checkProbe({
    ...plane,
    site,
    provenance: {
      kind,
      model: toIdentity(description, await model.sha256()),
      concept: options.concept,
      readAt,
      parseSpecial,
      texts: { name: options.name, sha256: hashTexts(texts.plain), trained: trained.rows, heldOut: held.rows },
      lambda: kind === "logistic" ? (lambda ?? 1) : undefined,
      seed,
      scores: {
        model: description.name,
        rows: held.rows,
        accuracy: scores.accuracy,
        auroc: scores.auroc,
        shuffledAuroc: mean(shuffled),
      },
      carried: [],
      recalibrated: undefined,
      trimtab: trimtabVersion(),
    },
  });
  return { probe, scores, tokens, shuffled, warnings: warningsOf(scores, tokens) };
}

function warningsOf(scores: MeasuredScores, tokens: MeasuredScores): string[] {
  const found: string[] = [];
  const { aurocInterval } = scores;
  if (aurocInterval === null || aurocInterval.low <= 0.5)
    found.push("on texts held out the probe is not clearly better than chance");
  else if (tokens.auroc >= scores.auroc)
    found.push(
      `the words alone tell these texts as well (AUROC ${tokens.auroc.toFixed(3)} against ${scores.auroc.toFixed(3)}): the probe may have read no more than tokens`,
    );
  return found;
}
