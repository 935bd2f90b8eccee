import { residPost } from "../../src/engine/site.ts";
import type { Collection, CollectionPlan } from "../../src/maps/collect/collection.ts";
import { createCollector } from "../../src/maps/collect/collector.ts";
import type { PlantedWindow } from "./planted.ts";

const identity = {
  sha256: "0".repeat(64),
  architecture: "llama",
  blocks: 4,
  quantisation: "F32",
  tokenizerFingerprint: "f",
};

export interface CollectWindowsOptions {
  readonly seed?: number;
  readonly maxHeldBytes?: number;
  readonly folds?: number;
}

/** What collecting makes of windows of one source layer, 1, and one target layer, 2. */
export function collectWindows(
  windows: readonly PlantedWindow[],
  dSource: number,
  dTarget: number,
  { seed = 1, maxHeldBytes = 2 ** 28, folds = 1 }: CollectWindowsOptions = {},
): Collection {
  const plan: CollectionPlan = {
    source: { ...identity, name: "S", width: dSource },
    target: { ...identity, name: "T", width: dTarget },
    sourceSites: [residPost(1)],
    targetSites: [residPost(2)],
    blocks: [
      { row: 0, col: 0 },
      { row: 1, col: 0 },
      { row: 1, col: 1 },
    ],
    context: 32,
    seed,
    folds,
    hasCurve: folds === 1,
    rowSelection: "all",
    maxHeldBytes,
  };
  const collector = createCollector(plan);
  windows.forEach((window, at) => {
    if (at > 0 && window.unit !== windows[at - 1]!.unit) collector.endUnit();
    collector.add(window);
  });
  collector.endUnit();
  return {
    plan,
    ...collector.view(),
    ledger: {
      corpus: { name: "planted", sha256: "", documents: 1, windows: windows.length },
      shards: [],
      rows: { total: 1, leftOut: { first: 0, special: 0, sink: 0, unselected: 0 } },
      windows: windows.length,
      lastUnit: 0,
      limits: undefined,
      isComplete: true,
      stoppedEarly: false,
    },
  };
}
