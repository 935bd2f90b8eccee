import { formatSite } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
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
  for (const [what, value] of Object.entries(a)) {
    const other = b[what] ?? { is: "none" };
    if (other.is !== value.is)
      throw mismatch("incompatible", where, `${what} ${show(value)}`, show(other), {
        hint: "the parts of one collection need the same models, layers and options; delete an old checkpoint to start anew",
      });
  }
}

/** What must be equal, and a name for it, which may differ: files are renamed. */
interface Described {
  readonly is: string;
  readonly name?: string;
}

function show({ is, name }: Described): string {
  return name === undefined ? is : `${name} (${is.slice(0, 12)})`;
}

function describe(plan: CollectionPlan): Readonly<Record<string, Described>> {
  const { source, target, sourceSites, targetSites, blocks, pairs } = plan;
  return {
    source: { is: source.sha256, name: source.name },
    target: { is: target.sha256, name: target.name },
    "source sites": { is: sourceSites.map(formatSite).join(", ") },
    "target sites": { is: targetSites.map(formatSite).join(", ") },
    products: { is: `${blocks.length}: ${blocks.map(({ row, col }) => `${row}-${col}`).join(" ")}` },
    context: { is: String(plan.context) },
    seed: { is: String(plan.seed) },
    folds: { is: String(plan.folds) },
    "learning curve": { is: String(plan.hasCurve) },
    rows: { is: plan.rowSelection },
    alignment: { is: plan.alignment ?? "ids" },
    "token table": { is: plan.tokensOf ?? "both" },
    "contrast set": pairs ? { is: pairs.sha256, name: pairs.name } : { is: "none" },
    "bytes held": { is: String(plan.maxHeldBytes) },
  };
}
