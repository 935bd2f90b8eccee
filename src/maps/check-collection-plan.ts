import { formatSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import type { CollectionPlan } from "./collection.ts";

/**
 * Checks that two collections are parts of one: the same models, sites, products and options.
 *
 * @throws incompatible naming the first thing that differs
 */
export function checkSameCollectionPlan(
  expected: CollectionPlan,
  found: CollectionPlan,
  where = "collected rows",
): void {
  const [a, b] = [describe(expected), describe(found)];
  for (const [what, value] of Object.entries(a))
    if (b[what] !== value)
      throw mismatch("incompatible", where, `${what} ${value}`, `${b[what] ?? "none"}`, {
        hint: "the parts of one collection need the same models, layers and options; delete an old checkpoint to start anew",
      });
}

function describe(plan: CollectionPlan): Record<string, string> {
  const { source, target, sourceSites, targetSites, blocks } = plan;
  return {
    source: `${source.name} (${source.sha256.slice(0, 12)})`,
    target: `${target.name} (${target.sha256.slice(0, 12)})`,
    "source sites": sourceSites.map(formatSite).join(", "),
    "target sites": targetSites.map(formatSite).join(", "),
    products: `${blocks.length}: ${blocks.map(({ row, col }) => `${row}-${col}`).join(" ")}`,
    context: String(plan.context),
    seed: String(plan.seed),
    folds: String(plan.folds),
    "learning curve": String(plan.hasCurve),
    rows: plan.rowSelection,
    "contrast set": plan.pairs ? `${plan.pairs.name} (${plan.pairs.sha256.slice(0, 12)})` : "none",
    "bytes held": String(plan.maxHeldBytes),
  };
}
