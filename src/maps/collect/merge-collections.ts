import { createHash } from "node:crypto";
import { addCounts, noCounts } from "../../activations/align/aligned-text.ts";
import { mismatch } from "../../errors.ts";
import type { CorpusRecord } from "../affine-map.ts";
import { addJointMoments, createJointSum, type JointMoments } from "../joint-moments.ts";
import { checkSameCollectionPlan } from "./check-collection-plan.ts";
import { type Collection, type JoinedText, type Ledger, planWidths } from "./collection.ts";
import { compareSketches } from "./document-sketch.ts";
import { createHeldOutSet, heldRowLimit } from "./held-out-set.ts";
import { formatShard } from "./shard.ts";
import { splitGroups } from "./split-groups.ts";
import { addTokenSums, createTokenSums } from "./token-sums.ts";

/** Names of merged texts that are spelled out. */
const mostNames = 4;

/**
 * The collection of all the rows of several: shards of one corpus, or different corpora read with the same models, sites and options.
 *
 * Moments, token sums and norms add; of the held-out windows those stay that one run over everything would hold, the others are fitted.
 * A merge of all shards of a corpus gives what one run gives, up to the rounding of sums in another order (about n · 2⁻⁵³ relative;
 * test/maps/collect.test.ts holds 1e-11) and up to the token table's bound, where one was reached.
 *
 * @throws bad-input for none; incompatible for different models, sites or options, for the same shard or corpus twice, for texts that have
 *   half of their documents in common, or for an unfinished collection
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
  checkDistinct(collections.flatMap(({ ledger }) => textsOf(ledger)));
  for (const { a, b, share } of findOverlaps(collections.map(({ ledger }) => ledger)))
    if (share >= mostShared)
      throw mismatch(
        "incompatible",
        "merge",
        "different text in every part",
        `${Math.round(100 * share)} % of the documents of ${a} or ${b} in both`,
        { hint: "one text was read twice, with another limit or in another order; keep the longer reading" },
      );
  return others.reduce(mergeTwo, first);
}

/** Texts have licences and tables in common; from half of one on it is the same text. */
const mostShared = 0.5;
/** One document may be in two texts by chance. */
const leastShared = 2;

/** Two texts, by their names, and about what share of the shorter one's documents the other has too. */
export interface TextOverlap {
  readonly a: string;
  readonly b: string;
  readonly share: number;
}

/**
 * Finds text that was read for several collections: under another limit, in another order, or because two corpora hold it. Parts of one
 * corpus share none. What is in both counts twice in a merge; {@link mergeCollections} refuses half of a text or more.
 *
 * Small shares can be missed: of texts with many documents 256 of each are compared. Files made before samples were kept say nothing.
 */
export function findOverlaps(ledgers: readonly Ledger[]): TextOverlap[] {
  const texts = ledgers.map(textsOf);
  return texts.flatMap((own, at) =>
    own.flatMap((a) =>
      texts
        .slice(at + 1)
        .flat()
        .flatMap((b) => {
          if (!a.sketch || !b.sketch || a.corpus.sha256 === b.corpus.sha256) return [];
          const { shared, share } = compareSketches(a.sketch, b.sketch);
          return shared < leastShared ? [] : [{ a: a.corpus.name, b: b.corpus.name, share }];
        }),
    ),
  );
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
  const texts = joinTexts([...textsOf(a), ...textsOf(b)]);
  const left = (key: keyof Ledger["rows"]["leftOut"]): number =>
    (a.rows.leftOut[key] ?? 0) + (b.rows.leftOut[key] ?? 0);
  const alignment =
    a.alignment || b.alignment ? addCounts(a.alignment ?? noCounts, b.alignment ?? noCounts) : undefined;
  return {
    corpus: toCorpus(texts),
    shards: texts.flatMap(({ shards }) => shards),
    sketch: texts.length === 1 ? texts[0]?.sketch : undefined,
    ...(texts.length > 1 && { joined: texts }),
    rows: {
      total: a.rows.total + b.rows.total,
      leftOut: {
        first: left("first"),
        special: left("special"),
        sink: left("sink"),
        unselected: left("unselected"),
        ...(alignment && { unaligned: left("unaligned") }),
      },
    },
    ...(alignment && { alignment }),
    windows: a.windows + b.windows,
    lastUnit: Math.max(a.lastUnit, b.lastUnit),
    // Every text has its own bounds; only parts of one share them.
    limits: a.limits?.every((limit, site) => limit === b.limits?.[site]) ? a.limits : undefined,
    isComplete: true,
    stoppedEarly: a.stoppedEarly || b.stoppedEarly,
  };
}

function textsOf({ joined, corpus, shards, sketch }: Ledger): readonly JoinedText[] {
  return joined ?? [{ corpus, shards, ...(sketch && { sketch }) }];
}

/** Puts the parts of each text together, texts by digest: the same list whatever the order and grouping of the merge. */
function joinTexts(texts: readonly JoinedText[]): readonly JoinedText[] {
  const byDigest = new Map<string, JoinedText>();
  for (const { corpus, shards, sketch } of texts) {
    const other = byDigest.get(corpus.sha256);
    const all = [...(other?.shards ?? []), ...shards].sort((x, y) => x.index - y.index);
    const windows = corpus.windows + (other?.corpus.windows ?? 0);
    byDigest.set(corpus.sha256, {
      corpus: { ...(other?.corpus ?? corpus), windows },
      shards: all.length === all[0]?.of ? [] : all,
      ...(sketch && { sketch }),
    });
  }
  return [...byDigest.values()].sort((x, y) => (x.corpus.sha256 < y.corpus.sha256 ? -1 : 1));
}

function toCorpus(texts: readonly JoinedText[]): CorpusRecord {
  const corpora = texts.map(({ corpus }) => corpus);
  const sum = (of: (corpus: CorpusRecord) => number): number => corpora.reduce((total, each) => total + of(each), 0);
  const [first, ...others] = corpora;
  if (first && others.length === 0) return first;
  const digest = createHash("sha256");
  for (const { sha256 } of corpora) digest.update(`${sha256}+`);
  return {
    // A name says what to look for; a thousand corpora are better named by their number.
    name:
      corpora.length <= mostNames
        ? corpora.map(({ name }) => name).join(" + ")
        : `${first?.name} + ${others.length} more`,
    sha256: digest.digest("hex"),
    documents: sum(({ documents }) => documents),
    windows: sum(({ windows }) => windows),
  };
}

/** Rows that were counted twice would look like more evidence than there is. */
function checkDistinct(texts: readonly JoinedText[]): void {
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  for (const { corpus, shards } of texts)
    for (const shard of shards.length > 0 ? shards : [{ index: 1, of: 1 }]) {
      const name = shard.of === 1 ? corpus.name : `part ${shard.index} of ${shard.of} of ${corpus.name}`;
      const key = `${corpus.sha256}:${formatShard(shard)}`;
      if (seen.has(key)) throw mismatch("incompatible", "merge", "every text once", `${name} twice`);
      seen.add(key);
      const other = counts.get(corpus.sha256) ?? shard.of;
      if (other !== shard.of) {
        const [cut, whole] = [Math.max(other, shard.of), Math.min(other, shard.of) === 1];
        throw mismatch(
          "incompatible",
          "merge",
          `${corpus.name} cut into parts in one way`,
          whole ? `the whole of it and one of ${cut} parts` : `parts of ${other} and of ${shard.of}`,
        );
      }
      counts.set(corpus.sha256, shard.of);
    }
}
