import type { PairedRows } from "../../activations/read-rows.ts";
import { rowNorms } from "../../activations/row-norms.ts";
import { seededRandom } from "../../linalg/random.ts";
import { createJointSum } from "../joint-moments.ts";
import { type Collection, type CollectionPlan, type HeldWindow, planWidths, shuffledBlocks } from "./collection.ts";
import { createHeldOutSet, heldRowLimit } from "./held-out-set.ts";
import { addNorms, createNormHistogram } from "./norm-histogram.ts";
import { shuffleUnit, type WindowStates } from "./shuffled-rows.ts";
import { mixSeed, partCount, splitGroups } from "./split-groups.ts";
import { createTokenSums } from "./token-sums.ts";

/** The sums of a collection: all of it but the ledger. */
export type CollectedSums = Pick<
  Collection,
  "parts" | "rowCounts" | "shuffled" | "heldOut" | "heldLimit" | "tokens" | "norms"
>;

/** Sums that grow, unit by unit. */
export interface Collector {
  /** Takes the rows of one window. Windows come in the order of the corpus. */
  add(rows: PairedRows): void;
  /** Says that a unit is over. Between units a collection can be saved, and gone on with to the same bits. */
  endUnit(): void;
  /** What has been collected; it changes with the next rows. Only between units. */
  view(): CollectedSums;
}

/** Opens a collector, empty or going on from what was collected: it sums every window where its group belongs, and keeps no more. */
export function createCollector(plan: CollectionPlan, start?: CollectedSums): Collector {
  const { seed, folds, hasCurve, maxHeldBytes } = plan;
  const widths = planWidths(plan);
  const split = splitGroups({ seed, folds, hasCurve });
  const jointPlan = { widths, blocks: plan.blocks };
  const parts = Array.from({ length: partCount(plan) }, (_, at) => createJointSum(jointPlan, start?.parts[at]));
  const shuffled = createJointSum({ widths, blocks: shuffledBlocks(plan) }, start?.shuffled);
  const fitted = createTokenSums(widths, maxHeldBytes, start?.tokens.fitted);
  const validation = createTokenSums(widths, maxHeldBytes, start?.tokens.validation);
  const heldOut = createHeldOutSet(
    heldRowLimit(widths, maxHeldBytes),
    seed,
    start && { windows: start.heldOut, limit: start.heldLimit },
  );
  const norms = start ? start.norms.map((histogram) => histogram.slice()) : widths.map(createNormHistogram);
  const rowCounts = start ? [...start.rowCounts] : parts.map(() => 0);
  let unit = -1;
  let inUnit: WindowStates[] = [];

  function addTo(part: number, { tokens, states, weights }: HeldWindow): void {
    parts[part]?.add(states, weights);
    rowCounts[part] = (rowCounts[part] as number) + tokens.length;
    (part === 0 ? validation : fitted).add(tokens, states, weights);
  }

  return {
    add(rows) {
      unit = rows.unit;
      const { window, group, tokens, states, weights } = rows;
      if (tokens.length === 0) return;
      states.forEach((state, site) => {
        // A mean of states is shorter than they are; strengths are told in lengths of states.
        addNorms(norms[site] as Float64Array, rows.norms?.[site] ?? rowNorms(state, widths[site] as number));
      });
      const part = split.partOf(group);
      const kept: HeldWindow = { window, group, tokens, states, weights };
      if (part === "heldOut") for (const free of heldOut.add(kept)) addTo(split.releasedPart(free.group), free);
      else {
        addTo(part, kept);
        if (part > 0) inUnit.push(states);
      }
    },
    endUnit() {
      const random = seededRandom(mixSeed(seed + 3, Math.max(unit, 0)));
      const pairs = shuffleUnit(inUnit, { widths, sources: plan.sourceSites.length, random });
      if (pairs) shuffled.add(pairs);
      inUnit = [];
    },
    view: () => ({
      parts: parts.map((part) => part.view()),
      rowCounts,
      shuffled: shuffled.view(),
      heldOut: heldOut.windows(),
      heldLimit: heldOut.limit(),
      tokens: { fitted: fitted.view(), validation: validation.view() },
      norms,
    }),
  };
}
