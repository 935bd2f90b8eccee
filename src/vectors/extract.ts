import type { ContrastPair } from "../activations/contrast-set.ts";
import type { ReadPosition } from "../activations/read-position.ts";
import { toIdentity } from "../engine/description.ts";
import type { OpenModel } from "../engine/open-model.ts";
import { checkSite, formatSite, type Site } from "../engine/site.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import { trimtabVersion } from "../models/trimtab-version.ts";
import { meanDifference } from "./mean-difference.ts";
import { shuffledPairRows } from "./null-vectors.ts";
import { pcaDirection } from "./pca.ts";
import { probeDirection } from "./probe.ts";
import { type PairRows, type ReadPairsOptions, readPairRows } from "./read-pair-rows.ts";
import { crossValidate, type FitDirection, type Separation } from "./separation.ts";
import { checkSteeringVector, type Direction, type SteeringVector, vectorNorm } from "./steering-vector.ts";

/** How rows become a direction. */
export type ExtractionMethod = "mean-difference" | "pca" | "probe";

export interface ExtractOptions {
  /** One site or several; each once. */
  readonly sites: readonly Site[];
  /**
   * Default `difference-mean`: a vector pooled from the first differing token is what a map fitted on all tokens carries best (mean
   * cosine with the native vector 0.64-0.71, against 0.27 for one read at a last token that is a full stop). `last` is the paper's.
   */
  readonly readAt?: ReadPosition;
  /** Default `mean-difference`. */
  readonly method?: ExtractionMethod;
  /** Reads `<|…|>` in the texts as special tokens: for texts made with a chat template. */
  readonly parseSpecial?: boolean;
  /** Name of the concept, for provenance. */
  readonly concept?: string | undefined;
  /** Draws a vector of shuffled labels from the same reading for each of these seeds. */
  readonly shuffledSeeds?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ReadPairsOptions["onProgress"];
}

/** What was found at one site, beside the direction. */
export interface SiteReport {
  readonly site: Site;
  /** Length of the direction. */
  readonly norm: number;
  readonly medianNorm: number;
  /** On held-out halves; undefined below four pairs. A direction near chance here will not steer anything. */
  readonly heldOut: Separation | undefined;
}

export interface Extraction {
  readonly vector: SteeringVector;
  readonly sites: readonly SiteReport[];
  /** One for each of `shuffledSeeds`: what `shuffledLabels` of the pairs would give, of its natural length. */
  readonly shuffled: readonly SteeringVector[];
}

const fits: Readonly<Record<ExtractionMethod, FitDirection>> = {
  "mean-difference": meanDifference,
  pca: pcaDirection,
  probe: (rows) => probeDirection(rows),
};

/**
 * Extracts a steering vector from contrast pairs: reads both sides' hidden states at each site, one row per text, and fits a direction
 * that points from the negative side to the positive one.
 *
 * Directions keep their natural length (see the methods). All texts are read in one pass, up to the last site asked for.
 *
 * @throws bad-input for no pairs, no sites, a layer out of range, texts too long or too short, sides that do not differ; aborted
 * @see PAPER: steering vectors by contrastive activation addition
 */
export async function extractVector(
  model: OpenModel,
  pairs: readonly ContrastPair[],
  {
    sites,
    readAt = "difference-mean",
    method = "mean-difference",
    parseSpecial = false,
    concept,
    shuffledSeeds = [],
    signal,
    onProgress,
  }: ExtractOptions,
): Promise<Extraction> {
  const { description } = model;
  if (pairs.length === 0) throw mismatch("bad-input", "contrast pairs", "at least one", "none");
  if (sites.length === 0) throw mismatch("bad-input", "sites", "at least one", "none");
  for (const site of sites) checkSite(site, description.blocks);
  if (!description.capabilities.tap)
    throw mismatch(
      "unsupported",
      description.name,
      "a model whose hidden states can be read",
      "one where they cannot",
      {
        hint: description.capabilities.reason,
      },
    );
  const fit = fits[method];
  const read = await readPairRows(model, pairs, { sites, readAt, parseSpecial, signal, onProgress });
  const provenance: SteeringVector["provenance"] = {
    kind: "native",
    model: toIdentity(description, await model.sha256()),
    modelHint: description.architecture,
    method,
    concept,
    pairs: pairs.length,
    readAt,
    seed: undefined,
    trimtab: trimtabVersion(),
  };
  const fitAll = (toRows: (rows: PairRows) => PairRows, seed?: number): SteeringVector => {
    const directions = read.map(({ site, rows, medianNorm }): Direction => {
      if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
      const vector = Float32Array.from(fit(toRows(rows)));
      if (vectorNorm(vector) > 0) return { site, vector, medianNorm };
      throw mismatch("bad-input", formatSite(site), "hidden states that differ between the sides", "no difference", {
        hint: "are the two sides of the pairs the same text at the read position?",
      });
    });
    return checkSteeringVector({ directions, provenance: { ...provenance, seed } });
  };
  const vector = fitAll((rows) => rows);
  return {
    vector,
    sites: read.map(
      ({ site, rows, medianNorm }, at): SiteReport => ({
        site,
        norm: vectorNorm((vector.directions[at] as Direction).vector),
        medianNorm,
        heldOut: crossValidate(rows, fit),
      }),
    ),
    shuffled: shuffledSeeds.map((seed) => fitAll((rows) => shuffledPairRows(rows, seed), seed)),
  };
}
