import { toLoneTexts } from "../../activations/lone-texts.ts";
import { toIdentity } from "../../engine/description.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { mismatch } from "../../errors.ts";
import { recalibrate } from "../../features/probes/fit-probe.ts";
import type { LabelledText } from "../../features/probes/labelled-texts.ts";
import { measureScores } from "../../features/probes/measure-scores.ts";
import { applyProbe, type Probe } from "../../features/probes/probe.ts";
import { type ProbeSource, type ProbeTextSet, readProbeRows, toProbeTexts } from "../../features/probes/probe-rows.ts";
import { randomPlane } from "../../features/probes/random-plane.ts";
import { seededRandom } from "../../linalg/random.ts";
import { identityDifferences } from "../../vectors/identity-differences.ts";
import type { LabelledRows } from "../../vectors/logistic-rows.ts";
import { readMeanRows } from "../../vectors/read-mean-rows.ts";
import { type MeasuredScores, measureArms } from "./measure-arms.ts";

export interface ScoreByProbeOptions {
  /** Default as the probe's own texts were read. */
  readonly parseSpecial?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** A probe's scores of labelled texts, and how well they tell them. */
export interface ScoredByProbe {
  /** `[texts]`; of pairs positive and negative in turn. */
  readonly scores: Float64Array;
  readonly groups: number;
  readonly measured: MeasuredScores;
  /** AUROC of directions drawn at random. */
  readonly random: readonly number[];
  readonly warnings: readonly string[];
}

const randomDraws = 20;

/**
 * Scores labelled texts by a probe of this model, with intervals and beside random directions.
 *
 * @throws incompatible for a probe of another model; bad-input for texts that cannot be read where the probe reads; engine; aborted
 */
export async function scoreByProbe(
  model: OpenModel,
  probe: Probe,
  source: ProbeSource,
  options: ScoreByProbeOptions & { readonly seed: number },
): Promise<ScoredByProbe> {
  const { texts, rows, warnings } = await readForProbe(model, probe, source, options);
  const scores = applyProbe(probe, rows.data);
  const { seed } = options;
  const [measured] = measureArms([scores], { labels: rows.labels, groups: texts.groups, seed }) as [MeasuredScores];
  const random = seededRandom(seed);
  const drawn = Array.from({ length: randomDraws }, () => {
    return measureScores(applyProbe(randomPlane(1, rows, random), rows.data), rows.labels).auroc;
  });
  return { scores, groups: new Set(texts.groups).size, measured, random: drawn, warnings };
}

/**
 * Scores texts without labels by a probe of this model.
 *
 * @throws incompatible for a probe of another model; bad-input for texts that cannot be read where the probe reads; engine; aborted
 */
export async function scoreTexts(
  model: OpenModel,
  probe: Probe,
  texts: readonly Pick<LabelledText, "text" | "where">[],
  { parseSpecial = probe.provenance.parseSpecial, signal, onProgress }: ScoreByProbeOptions = {},
): Promise<Float64Array> {
  await checkProbeModel(model, probe);
  const { width } = model.description;
  const read = await toLoneTexts(model, texts, { readAt: probe.provenance.readAt, parseSpecial, signal });
  const rows = new Float32Array(read.length * width);
  await readMeanRows(model, read, {
    sites: [probe.site],
    onRow: (_, text, row) => rows.set(row, text * width),
    signal,
    onProgress,
  });
  return applyProbe(probe, rows);
}

/**
 * Moves a probe's threshold halfway between the mean scores of the two classes of a few labelled texts; its direction stays.
 *
 * @throws as {@link scoreByProbe}
 */
export async function recalibrateProbe(
  model: OpenModel,
  probe: Probe,
  source: ProbeSource,
  options: ScoreByProbeOptions = {},
): Promise<Probe> {
  const { rows } = await readForProbe(model, probe, source, options);
  const { bias } = recalibrate(probe, applyProbe(probe, rows.data), rows.labels);
  return { ...probe, bias, provenance: { ...probe.provenance, recalibrated: rows.rows } };
}

async function readForProbe(
  model: OpenModel,
  probe: Probe,
  source: ProbeSource,
  { parseSpecial = probe.provenance.parseSpecial, signal, onProgress }: ScoreByProbeOptions,
): Promise<{ readonly texts: ProbeTextSet; readonly rows: LabelledRows; readonly warnings: readonly string[] }> {
  const warnings = await checkProbeModel(model, probe);
  const texts = await toProbeTexts(model, source, { readAt: probe.provenance.readAt, parseSpecial, signal });
  const rows = (await readProbeRows(model, texts, [probe.site], { signal, onProgress }))[0]!;
  return { texts, rows, warnings };
}

/** Checks that a probe reads this model. @throws incompatible */
async function checkProbeModel(model: OpenModel, { provenance }: Probe): Promise<string[]> {
  const own = toIdentity(model.description, await model.sha256());
  const differences = identityDifferences(provenance.model, own);
  if (differences.length > 0)
    throw mismatch("incompatible", "probe", `one of ${own.name}`, `one of ${provenance.model.name}`, {
      hint: `they differ in ${differences.join(", ")}; carry the probe over with trimtab probe transfer`,
    });
  return provenance.model.sha256 === own.sha256
    ? []
    : [
        `the probe was made for another file (${provenance.model.name}, ${provenance.model.quantisation}) than this one (${own.quantisation})`,
      ];
}
