import { createHash } from "node:crypto";
import { mismatch } from "../errors.ts";
import type { CorpusRecord } from "./affine-map.ts";
import { checkSameCollectionPlan } from "./check-collection-plan.ts";
import { type Collection, type Ledger, planWidths } from "./collection.ts";
import { createHeldOutSet, heldRowLimit } from "./held-out-set.ts";
import { addJointMoments, createJointSum, type JointMoments } from "./joint-moments.ts";
import { splitGroups } from "./split-groups.ts";
import { addTokenSums, createTokenSums } from "./token-sums.ts";

/**
 * The collection of all the rows of several: shards of one corpus, or different corpora read with the same models, sites and options.
 *
 * Moments, token sums and norms add; of the held-out windows those stay that one run over everything would hold, the others are fitted.
 * A merge of all shards of a corpus gives what one run gives, up to the rounding of sums in another order (about n · 2⁻⁵³ relative;
 * test/maps/collect.test.ts holds 1e-11) and up to the token table's bound, where one was reached.
 *
 * @throws bad-input for none; incompatible for different models, sites or options, for the same shard or corpus twice, or for an
 *   unfinished collection
 */
export function mergeCollections(collections: readonly Collection[]): Collection {
  const [first, ...others] = collections;
  if (!first) throw mismatch("bad-input", "merge", "at least one collection", "none");
  for (const { plan, ledger } of collections) {
    checkSameCollectionPlan(first.plan, plan);
    if (!ledger.isComplete)
      throw mismatch(
        "incompatible",
        "merge",
        "collections that were finished",
        `one broken off after unit ${ledger.lastUnit}`,
        {
          hint: "run the same collect command again: it goes on from there",
        },
      );
  }
  checkDistinct(collections.map(({ ledger }) => ledger));
  return others.reduce(mergeTwo, first);
}

function mergeTwo(a: Collection, b: Collection): Collection {
  const { plan } = a;
  const widths = planWidths(plan);
  const split = splitGroups(plan);
  const limit = Math.min(a.heldLimit, b.heldLimit);
  const set = createHeldOutSet(heldRowLimit(widths, plan.maxHeldBytes), plan.seed, { windows: [], limit });
  const released = [...a.heldOut, ...b.heldOut].flatMap((window) => set.add(window));
  const extra = a.parts.map((part) => createJointSum({ widths, blocks: part.blocks }));
  const sums = {
    fitted: createTokenSums(widths, plan.maxHeldBytes),
    validation: createTokenSums(widths, plan.maxHeldBytes),
  };
  const rowCounts = a.rowCounts.map((count, at) => count + (b.rowCounts[at] as number));
  for (const { group, tokens, states, weights } of released) {
    const part = split.releasedPart(group);
    rowCounts[part] = (rowCounts[part] as number) + tokens.length;
    extra[part]?.add(states, weights);
    sums[part === 0 ? "validation" : "fitted"].add(tokens, states, weights);
  }
  const heldOut = set.windows();
  const tokens = (of: "fitted" | "validation") =>
    addTokenSums(addTokenSums(a.tokens[of], b.tokens[of], plan.maxHeldBytes), sums[of].view(), plan.maxHeldBytes);
  return {
    plan,
    ledger: mergeLedgers(a.ledger, b.ledger),
    parts: a.parts.map((part, at) =>
      [b.parts[at] as JointMoments, (extra[at] as ReturnType<typeof createJointSum>).view()].reduce(
        addJointMoments,
        part,
      ),
    ),
    rowCounts,
    shuffled: addJointMoments(a.shuffled, b.shuffled),
    heldOut,
    heldLimit: set.limit(),
    tokens: { fitted: tokens("fitted"), validation: tokens("validation") },
    norms: a.norms.map((norms, site) => norms.map((count, bin) => count + (b.norms[site]?.[bin] as number))),
  };
}

function mergeLedgers(a: Ledger, b: Ledger): Ledger {
  const shards = [...a.shards, ...b.shards].sort((x, y) => x.index - y.index);
  const isWhole = shards.length > 0 && shards.length === shards[0]?.of;
  const left = (key: keyof Ledger["rows"]["leftOut"]): number => a.rows.leftOut[key] + b.rows.leftOut[key];
  return {
    corpus: a.corpus.sha256 === b.corpus.sha256 ? mergeShards(a.corpus, b.corpus) : joinCorpora(a.corpus, b.corpus),
    shards: isWhole ? [] : shards,
    rows: {
      total: a.rows.total + b.rows.total,
      leftOut: { first: left("first"), special: left("special"), sink: left("sink"), unselected: left("unselected") },
    },
    windows: a.windows + b.windows,
    lastUnit: Math.max(a.lastUnit, b.lastUnit),
    limits: a.limits,
    isComplete: true,
    stoppedEarly: a.stoppedEarly || b.stoppedEarly,
  };
}

function mergeShards(a: CorpusRecord, b: CorpusRecord): CorpusRecord {
  return { ...a, windows: a.windows + b.windows };
}

function joinCorpora(a: CorpusRecord, b: CorpusRecord): CorpusRecord {
  const [first, second] = a.sha256 < b.sha256 ? [a, b] : [b, a];
  return {
    name: `${first.name} + ${second.name}`,
    sha256: createHash("sha256").update(`${first.sha256}+${second.sha256}`).digest("hex"),
    documents: a.documents + b.documents,
    windows: a.windows + b.windows,
  };
}

/** Rows that were counted twice would look like more evidence than there is. */
function checkDistinct(ledgers: readonly Ledger[]): void {
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  for (const { corpus, shards } of ledgers)
    for (const { index, of } of shards.length > 0 ? shards : [{ index: 1, of: 1 }]) {
      const name = `${corpus.name}, part ${index} of ${of}`;
      const key = `${corpus.sha256}:${index}/${of}`;
      if (seen.has(key)) throw mismatch("incompatible", "merge", "every part once", `${name} twice`);
      seen.add(key);
      const other = counts.get(corpus.sha256);
      if (other !== undefined && other !== of)
        throw mismatch("incompatible", "merge", `parts of a corpus cut into ${other}`, `${name}`);
      counts.set(corpus.sha256, of);
    }
}
