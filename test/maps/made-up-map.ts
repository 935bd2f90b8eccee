import { residPost } from "../../src/engine/site.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import type { AffineMap } from "../../src/maps/affine-map.ts";
import type { PredictionScore } from "../../src/maps/score/map-scores.ts";
import { plantedMatrix } from "./planted.ts";

/** A score of round numbers. */
export const madeUpScore: PredictionScore = { r2: 0.4, cosine: { raw: 0.7, centred: 0.6 } };

/** A map of widths 5 → 7 with everything that a file can say of it but what is computed on request. */
export function sampleMap(): AffineMap {
  const random = seededRandom(1);
  const model = {
    sha256: "ab".repeat(32),
    architecture: "llama",
    blocks: 4,
    quantisation: "F16",
    tokenizerFingerprint: "cd".repeat(32),
  };
  return {
    sources: [{ model: { ...model, name: "S", width: 5 }, site: { layer: 1, point: "resid_post" }, medianNorm: 9.25 }],
    target: {
      model: { ...model, name: "L “große”", width: 7 },
      site: { layer: 2, point: "resid_post" },
      medianNorm: 21.5,
    },
    A: plantedMatrix(7, 5, random),
    p: Float64Array.from({ length: 7 }, () => random.normal()),
    fit: {
      method: "ridge",
      lambda: 0.01,
      tried: [
        { lambda: 0.01, r2: 0.4 },
        { lambda: 1, r2: 0.3 },
      ],
      condition: Number.POSITIVE_INFINITY,
      seed: 3,
      corpus: { name: "stories.txt", sha256: "ef".repeat(32), documents: 12, windows: 40 },
      rows: {
        total: 1000,
        train: 700,
        validation: 100,
        heldOut: 100,
        leftOut: { first: 40, special: 50, sink: 10, unselected: 0 },
      },
      context: 256,
      space: "standardised",
      choice: "validation",
      rowSelection: "all",
      version: "0.1.0",
      createdAt: "2026-01-02T03:04:05Z",
    },
    scores: {
      ...madeUpScore,
      rows: 100,
      windows: 4,
      r2Interval: { low: 0.3, high: 0.5, level: 0.95, resamples: 1000 },
      r2PerDimension: { lower: 0.2, median: 0.4, upper: 0.6 },
      mse: 1.5,
      explainedVariance: 0.35,
      r2ByDimension: Float64Array.of(0.1, 0.2, -3, Number.NaN, 0.3, 0.4, 0.5),
      nulls: { mean: madeUpScore, shuffled: madeUpScore, randomOrthogonal: madeUpScore },
      tokenIdentity: { table: 0.5, beyond: 0.2, tokensSeen: 300, unseenShare: 0.01 },
    },
  };
}

/** The map between other layers: from several they are joined, with columns of their own. */
export function mapBetween(layers: readonly number[], target: number): AffineMap {
  const map = sampleMap();
  const random = seededRandom(target);
  return {
    ...map,
    sources: layers.map((layer) => ({ ...map.sources[0]!, site: residPost(layer), medianNorm: 1 + layer })),
    target: { ...map.target, site: residPost(target) },
    A: plantedMatrix(7, 5 * layers.length, random),
  };
}
