import { transpose } from "../../linalg/matrix.ts";
import type { BlockName, JointMoments } from "../joint-moments.ts";
import { type Collection, type Ledger, planWidths } from "./collection.ts";
import type { TokenSums } from "./token-sums.ts";

/**
 * The same collection with the roles of the two models exchanged: what is fitted from it goes from the target to the source. Nothing is
 * read again; fits from the result equal those of a collection made the other way round, to rounding. So do scores, but for the shuffled
 * null, whose other side has been shuffled.
 */
export function reverseCollection(collection: Collection): Collection {
  const { plan, parts, shuffled, heldOut, tokens, norms, ledger } = collection;
  const count = plan.sourceSites.length + plan.targetSites.length;
  const shift = plan.sourceSites.length;
  /** Site at each new place. */
  const order = Array.from({ length: count }, (_, place) => (place + shift) % count);
  const placeOf = (site: number): number => order.indexOf(site);
  const reorder = <T>(bySite: readonly T[]): T[] => order.map((site) => bySite[site] as T);
  // Sites of one model keep their order; a product of both models is kept the other way round.
  const rename = ({ row, col }: BlockName): BlockName => {
    const [a, b] = [placeOf(row), placeOf(col)];
    return { row: Math.max(a, b), col: Math.min(a, b) };
  };
  const moments = ({ n, means, blocks }: JointMoments): JointMoments => ({
    n,
    means: reorder(means),
    blocks: blocks
      .map(({ row, col, C }) => ({ ...rename({ row, col }), C: placeOf(row) < placeOf(col) ? transpose(C) : C }))
      .sort(inOrder),
  });
  const widths = planWidths(plan);
  const newPlan = {
    ...plan,
    source: plan.target,
    target: plan.source,
    sourceSites: plan.targetSites,
    targetSites: plan.sourceSites,
    ...(plan.tokensOf && { tokensOf: plan.tokensOf === "target" ? ("source" as const) : ("target" as const) }),
    blocks: plan.blocks.map(rename).sort(inOrder),
  };
  const tokenSums = ({ byToken }: TokenSums): TokenSums => ({
    widths: reorder(widths),
    byToken: new Map(
      Array.from(byToken, ([token, { n, sums }]) => [token, { n, sums: reorderSums(sums, widths, order) }]),
    ),
  });
  return {
    ...collection,
    plan: newPlan,
    ledger: { ...reverseCounts(ledger), limits: ledger.limits && reorder(ledger.limits) },
    parts: parts.map(moments),
    shuffled: moments(shuffled),
    heldOut: heldOut.map((window) => ({ ...window, states: reorder(window.states) })),
    tokens: { fitted: tokenSums(tokens.fitted), validation: tokenSums(tokens.validation) },
    norms: reorder(norms),
  };
}

/** The account in the tokens of the other model, where rows are aligned: they give the same rows and leave out others. */
function reverseCounts(ledger: Ledger): Ledger {
  const { alignment, rows } = ledger;
  if (!alignment) return ledger;
  const more = alignment.target.tokens - alignment.source.tokens;
  const { unaligned = 0, ...leftOut } = rows.leftOut;
  return {
    ...ledger,
    alignment: { source: alignment.target, target: alignment.source },
    rows: { total: rows.total + more, leftOut: { ...leftOut, unaligned: unaligned + more } },
  };
}

function inOrder(a: BlockName, b: BlockName): number {
  return a.row - b.row || a.col - b.col;
}

function reorderSums(sums: Float64Array, widths: readonly number[], order: readonly number[]): Float64Array {
  const starts = widths.map((_, site) => widths.slice(0, site).reduce((total, width) => total + width, 0));
  const result = new Float64Array(sums.length);
  let at = 0;
  for (const site of order) {
    const [start, width] = [starts[site] as number, widths[site] as number];
    result.set(sums.subarray(start, start + width), at);
    at += width;
  }
  return result;
}
