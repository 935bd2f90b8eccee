import type { ModelIdentity } from "../../src/engine/description.ts";
import { residPost } from "../../src/engine/site.ts";
import { createMatrix, type Matrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import type { Collection, CollectionPlan } from "../../src/maps/collect/collection.ts";
import { createCollector } from "../../src/maps/collect/collector.ts";
import { planLayers } from "../../src/maps/collect/plan-layers.ts";
import { mapRows, normalRows, plantedMatrix, toWindow } from "./planted.ts";

const [dSource, dTarget, vocabulary] = [6, 8, 30];
const [windows, rows] = [120, 50];

function model(name: string, width: number, blocks: number): ModelIdentity {
  return {
    name,
    sha256: "00".repeat(32),
    architecture: "llama",
    width,
    blocks,
    quantisation: "F32",
    tokenizerFingerprint: "same",
  };
}

export interface PlantedOptions {
  readonly folds?: number;
  readonly hasWeights?: boolean;
  /** Only these pairs' products are kept. */
  readonly pairs?: readonly { readonly source: number; readonly target: number }[];
  readonly windows?: number;
}

/**
 * What was collected of two made-up models of 4 and 5 blocks. Of three source layers, 0 is the token and little else, 1 and 2 are
 * noise of their own. Target layers: 0 is the token, 1 a map of source layer 1 and some noise, 3 noise of its own, and 4, the
 * last, a map of source layer 2 and hardly any noise. So 0:0 is good and nothing beyond the token; 1:1 is half; 2:4 is best.
 */
export function plantedCollection({
  folds = 1,
  hasWeights = false,
  pairs,
  windows: count = windows,
}: PlantedOptions = {}): Collection {
  const random = seededRandom(11);
  const table = createMatrix(vocabulary, dSource, Float64Array.from(normalRows(vocabulary, dSource, random)));
  const [fromToken, fromOne, fromTwo] = [0, 1, 2].map(() => plantedMatrix(dTarget, dSource, random)) as [
    Matrix,
    Matrix,
    Matrix,
  ];
  const p = Float64Array.from({ length: dTarget }, (_, i) => i - 3);
  const layers = pairs
    ? { kind: "maps" as const, maps: pairs.map(({ source, target }) => ({ sources: [source], target })) }
    : { kind: "all-pairs" as const, sources: [0, 1, 2], targets: [0, 1, 3, 4] };
  const { sources, targets, blocks } = planLayers(layers, 4, 5);
  const plan: CollectionPlan = {
    source: model("small", dSource, 4),
    target: model("large", dTarget, 5),
    sourceSites: sources.map(residPost),
    targetSites: targets.map(residPost),
    blocks,
    context: 51,
    seed: 3,
    folds,
    hasCurve: false,
    rowSelection: "all",
    maxHeldBytes: 2 ** 24,
  };
  const collector = createCollector(plan);
  for (let window = 0; window < count; window++) {
    const tokens = Int32Array.from({ length: rows }, () => random.integer(vocabulary));
    const ofToken = Float32Array.from(tokens, () => 0);
    const x0 = normalRows(rows, dSource, random, 0.1).map(
      (value, at) => value + table.data[(tokens[Math.floor(at / dSource)] as number) * dSource + (at % dSource)]!,
    );
    const [x1, x2] = [normalRows(rows, dSource, random), normalRows(rows, dSource, random, 2, 5)];
    const states = new Map<string, Float32Array>([
      ["s0", x0],
      ["s1", x1],
      ["s2", x2],
      ["t0", mapRows(x0, fromToken, p, 0.4, random)],
      ["t1", mapRows(x1, fromOne, p, 0.6, random)],
      ["t3", normalRows(rows, dTarget, random)],
      ["t4", mapRows(x2, fromTwo, p, 0.05, random)],
    ]);
    const chosen = [...sources.map((layer) => `s${layer}`), ...targets.map((layer) => `t${layer}`)];
    collector.add({
      ...toWindow(window, ofToken, ofToken, tokens),
      states: chosen.map((name) => states.get(name)!),
      weights: hasWeights ? Float64Array.from({ length: rows }, () => 0.5 + random.uniform()) : undefined,
    });
    if (window % 40 === 39) collector.endUnit();
  }
  return {
    plan,
    ...collector.view(),
    ledger: {
      corpus: { name: "planted", sha256: "00".repeat(32), documents: count, windows: count },
      shards: [],
      rows: { total: count * (rows + 1), leftOut: { first: count, special: 0, sink: 0, unselected: 0 } },
      windows: count,
      lastUnit: Math.floor((count - 1) / 40),
      limits: undefined,
      isComplete: true,
      stoppedEarly: false,
    },
  };
}
