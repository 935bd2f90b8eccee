import type { ContrastPair } from "../../activations/contrast-set.ts";
import type { Corpus } from "../../activations/corpus.ts";
import { formatReadPosition, type ReadPosition } from "../../activations/read-position.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { checkSite, formatSite, type Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { toRunModel } from "../../evaluate/run-record.ts";
import type { ProbeKind } from "../../features/probes/probe.ts";
import { type ProbeTextSet, readProbeRows, toProbeTexts } from "../../features/probes/probe-rows.ts";
import { splitRows } from "../../features/probes/split-rows.ts";
import type { AffineMap } from "../../maps/affine-map.ts";
import { type CollectProgress, collectMoments } from "../../maps/collect/collect-moments.ts";
import { fitBothWays } from "../../maps/fit-both-ways.ts";
import { defaultRows } from "../../maps/fit-map.ts";
import { formatLayers } from "../../maps/layer-plan.ts";
import type { LabelledRows } from "../../vectors/logistic-rows.ts";
import type { ProbeCell, ProbeStudyMap, ProbeStudyResult, ProbeWay } from "./probe-study-result.ts";
import { studyCell } from "./study-cell.ts";
import { scoreByTokens } from "./token-probe.ts";

/** A property and the pairs of texts that have it and have not. */
export interface ProbeConcept {
  readonly name: string;
  readonly pairs: readonly ContrastPair[];
}

export interface StudyProbesOptions {
  readonly concepts: readonly ProbeConcept[];
  /** What the maps are fitted on. */
  readonly corpus: string | Corpus;
  readonly sites: { readonly source: Site; readonly target: Site };
  /** Default all-mean. */
  readonly readAt?: ReadPosition;
  /** Default both. */
  readonly kinds?: readonly ProbeKind[];
  /** Share of the pairs held out. Default 0.5. */
  readonly heldOut?: number;
  /** Rows of the maps. Default 20 for each source dimension, at least 20 000. */
  readonly maxRows?: number | undefined;
  /** Draws of each null. Default 20. */
  readonly draws?: number;
  /** Pairs whose labels may move a carried probe's threshold. Default 8. */
  readonly recalibrationPairs?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onCollect?: ((progress: CollectProgress) => void) | undefined;
  readonly onConcept?: ((done: number, total: number) => void) | undefined;
}

const ways: readonly ProbeWay[] = ["source-to-target", "target-to-source"];

/**
 * Trains linear probes on one model, carries them to the other through a map fitted on other text, and measures them there beside probes
 * trained on it: for every concept, both ways, and several kinds.
 *
 * Pairs are split whole; all probes of a concept train on the same texts and are measured on the same others. See {@link ProbeCell} for what
 * stands beside the carried probe.
 *
 * @throws incompatible for different tokenizers; bad-input for concepts, sites or a corpus that do not do; engine; aborted
 * @see Chen et al., arXiv 2506.06609
 */
export async function studyProbes(
  source: OpenModel,
  target: OpenModel,
  {
    concepts,
    corpus,
    sites,
    readAt = "all-mean",
    kinds = ["logistic", "mean-difference"],
    heldOut = 0.5,
    maxRows = Math.max(defaultRows(source.description.width), defaultRows(target.description.width)),
    draws = 20,
    recalibrationPairs = 8,
    seed = 0,
    signal,
    onCollect,
    onConcept,
  }: StudyProbesOptions,
): Promise<ProbeStudyResult> {
  if (concepts.length === 0) throw mismatch("bad-input", "concepts", "at least one", "none");
  checkSite(sites.source, source.description.blocks, "source layer");
  checkSite(sites.target, target.description.blocks, "target layer");
  const collection = await collectMoments(source, target, {
    corpus,
    layers: { kind: "maps", maps: [{ sources: [sites.source.layer], target: sites.target.layer }] },
    maxRows,
    hasCurve: false,
    seed,
    signal,
    onProgress: onCollect,
  });
  const maps = fitBothWays(collection);
  const cells: ProbeCell[] = [];
  for (const [done, { name, pairs }] of concepts.entries()) {
    onConcept?.(done, concepts.length);
    const texts = await toProbeTexts(source, { pairs }, { readAt, signal });
    const split = splitRows(texts, { share: heldOut, seed });
    const rows = {
      source: await readRowsAt(source, texts, sites.source, signal),
      target: await readRowsAt(target, texts, sites.target, signal),
    };
    const windows = texts.texts.map(({ tokens }) => tokens);
    const byTokens = scoreByTokens(windows, texts.labels, { trained: split.trained, scored: split.heldOut });
    for (const way of ways) {
      const [origin, end] = way === "source-to-target" ? [rows.source, rows.target] : [rows.target, rows.source];
      // To read the target by a probe of the source, the target's states are mapped to the source's.
      const [back, on] =
        way === "source-to-target" ? (["backward", "forward"] as const) : (["forward", "backward"] as const);
      for (const kind of kinds)
        cells.push({
          concept: name,
          way,
          ...studyCell(origin, end, {
            kind,
            split,
            groups: texts.groups,
            byTokens,
            maps: { backward: maps[back], forward: maps[on], shuffledBackward: maps.shuffled[back] },
            recalibrationGroups: recalibrationPairs,
            draws,
            seed,
          }),
        });
    }
  }
  onConcept?.(concepts.length, concepts.length);
  return {
    format: "trimtab-probe-study",
    version: 1,
    source: await toRunModel(source),
    target: await toRunModel(target),
    sites: { source: formatSite(sites.source), target: formatSite(sites.target) },
    readAt: formatReadPosition(readAt),
    seed,
    draws,
    recalibrationPairs,
    maps: [toStudyMap(maps.forward), toStudyMap(maps.backward)],
    cells,
    warnings: maps.warnings,
  };
}

async function readRowsAt(
  model: OpenModel,
  texts: ProbeTextSet,
  site: Site,
  signal: AbortSignal | undefined,
): Promise<LabelledRows> {
  return (await readProbeRows(model, texts, [site], { signal }))[0]!;
}

function toStudyMap({ sources, target, scores, fit }: AffineMap): ProbeStudyMap {
  return {
    from: sources[0]!.model.name,
    to: target.model.name,
    layers: formatLayers({ sources: sources.map(({ site }) => site.layer), target: target.site.layer }),
    r2: scores.r2,
    r2Shuffled: scores.nulls.shuffled.r2,
    rows: fit.rows.train,
  };
}
