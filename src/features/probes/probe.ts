import type { ReadPosition } from "../../activations/read-position.ts";
import type { ModelIdentity } from "../../engine/description.ts";
import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";

/** How a probe is fitted: a logistic regression, or the difference of the class means with the threshold halfway. */
export type ProbeKind = "logistic" | "mean-difference";

/**
 * A linear probe: whether a text has a property, read from the model's hidden states at one site. A row h scores `weights · h + bias`, and
 * scores above 0 say yes.
 */
export interface Probe {
  readonly site: Site;
  /** `[width]`: of a logistic probe the gradient of the log-odds; of a difference of means that difference. */
  readonly weights: Float64Array;
  readonly bias: number;
  /** `[width]`: halfway between the class means. A map can carry a difference of means forward only with it; other probes have none. */
  readonly centre: Float64Array | undefined;
  readonly provenance: ProbeProvenance;
}

/** Where a probe comes from. */
export interface ProbeProvenance {
  readonly kind: ProbeKind;
  /** The model whose hidden states it reads. */
  readonly model: ModelIdentity;
  /** Name of the property. */
  readonly concept: string | undefined;
  readonly readAt: ReadPosition;
  /** `<|…|>` in the texts was read as special tokens. */
  readonly parseSpecial: boolean;
  readonly texts: ProbeTexts;
  /** Penalty, of a logistic probe. */
  readonly lambda: number | undefined;
  readonly seed: number;
  /** On texts held out, on the model it was trained on. */
  readonly scores: ProbeScores | undefined;
  /** Maps that carried it here from the model it was trained on, first one first. */
  readonly carried: readonly CarriedProbe[];
  /** Labelled texts of this model that moved the threshold. */
  readonly recalibrated: number | undefined;
  /** Version of Trimtab that made it. */
  readonly trimtab: string;
}

/** The texts a probe learned from. */
export interface ProbeTexts {
  readonly name: string;
  /** sha256 (hex) of the texts and labels, in order. */
  readonly sha256: string;
  readonly trained: number;
  readonly heldOut: number;
}

/** How well a probe tells texts that it was not trained on. */
export interface ProbeScores {
  readonly model: string;
  readonly rows: number;
  readonly accuracy: number;
  readonly auroc: number;
  /** The same with the labels of the training texts shuffled: mean over draws. */
  readonly shuffledAuroc: number;
}

/** One step of a probe from model to model. */
export interface CarriedProbe {
  /**
   * `backward`: read through a map from the new model to the old one, Bᵀ w, so that it scores what the old probe would on the states
   * predicted. `forward`: the direction itself was carried by a map to the new model, A w.
   */
  readonly by: "backward" | "forward";
  readonly from: { readonly name: string; readonly sha256: string; readonly site: string };
  /** Held-out R² of the map, and its corpus. */
  readonly map: { readonly r2: number; readonly corpus: string };
}

/**
 * Scores rows by a probe: `weights · hᵢ + bias` for each row of X `[n, width]`, in float64.
 *
 * @throws bad-input if X is not a whole number of rows of the probe's width
 */
export function applyProbe({ weights, bias }: Pick<Probe, "weights" | "bias">, X: Float32Array): Float64Array {
  const width = weights.length;
  if (width === 0 || X.length % width !== 0)
    throw mismatch("bad-input", "hidden states", `rows of width ${width}, the probe's`, `${X.length} values`);
  return Float64Array.from({ length: X.length / width }, (_, i) => {
    let sum = bias;
    for (let j = 0; j < width; j++) sum += weights[j]! * X[i * width + j]!;
    return sum;
  });
}

/** Checks that a probe is sound and returns it: as wide as its model, all numbers finite, not all weights 0. @throws bad-input naming `where` */
export function checkProbe(probe: Probe, where = "probe"): Probe {
  const { weights, bias, centre, provenance, site } = probe;
  const { width, blocks } = provenance.model;
  for (const [name, values] of [
    ["weights", weights],
    ["centre", centre ?? weights],
  ] as const) {
    if (values.length !== width)
      throw mismatch("bad-input", `${where}: ${name}`, `width ${width}, the model's`, `${values.length}`);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw mismatch("bad-input", `${where}: ${name}`, "finite numbers", `${values[bad]} at ${bad}`);
  }
  if (!Number.isFinite(bias)) throw mismatch("bad-input", `${where}: bias`, "a finite number", String(bias));
  if (weights.every((value) => value === 0)) throw mismatch("bad-input", `${where}: weights`, "some weight", "all 0");
  if (site.layer >= blocks)
    throw mismatch("bad-input", `${where}: site`, `a layer below ${blocks}`, String(site.layer));
  return probe;
}
