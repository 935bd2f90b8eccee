import { writtenAlignments } from "../../activations/align/alignment.ts";
import { formatSite, parseSite, type Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { checkRecord, type Schema } from "../check-record.ts";
import type { BlockName } from "../joint-moments.ts";
import type { CollectionPlan, Ledger } from "./collection.ts";
import { formatShard, isShard } from "./shard.ts";

const model: Schema = {
  name: "string",
  sha256: "string",
  architecture: "string",
  width: "count",
  blocks: "count",
  quantisation: "string",
  tokenizerFingerprint: "string",
};

const planSchema: Schema = {
  source: model,
  target: model,
  sourceSites: ["string"],
  targetSites: ["string"],
  blocks: [{ row: "count", col: "count" }],
  context: "count",
  seed: "count",
  folds: "count",
  "hasCurve?": "true",
  rowSelection: "string",
  "pairs?": { name: "string", sha256: "string" },
  "alignment?": "string",
  "tokensOf?": "string",
  maxHeldBytes: "count",
};

const side: Schema = { tokens: "count", used: "count", lost: "count" };
const corpus: Schema = { name: "string", sha256: "string", documents: "count", windows: "count" };
const shards: Schema = [{ index: "count", of: "count" }];

const ledgerSchema: Schema = {
  corpus,
  shards,
  "sketch?": ["count"],
  "joined?": [{ corpus, shards, "sketch?": ["count"] }],
  rows: {
    total: "count",
    leftOut: { first: "count", special: "count", sink: "count", unselected: "count", "unaligned?": "count" },
  },
  "alignment?": { source: side, target: side },
  windows: "count",
  lastUnit: "number",
  "limits?": ["ratio"],
  "isComplete?": "true",
  "stoppedEarly?": "true",
};

/** More sites, parts or products than any study reads at once; a file that claims more was made to do harm. */
const most = { width: 1 << 20, sites: 4096, folds: 1000 };

/** Writes a plan as JSON. */
export function formatCollectionPlan({ sourceSites, targetSites, hasCurve, ...plan }: CollectionPlan): string {
  return JSON.stringify({
    ...plan,
    sourceSites: sourceSites.map(formatSite),
    targetSites: targetSites.map(formatSite),
    ...(hasCurve && { hasCurve }),
  });
}

/** Reads what {@link formatCollectionPlan} wrote. @throws bad-input naming the field */
export function parseCollectionPlan(json: string, where: string): CollectionPlan {
  type Plain = Omit<CollectionPlan, "sourceSites" | "targetSites" | "hasCurve"> & {
    readonly sourceSites: readonly string[];
    readonly targetSites: readonly string[];
    readonly hasCurve?: true;
  };
  const plain = checkRecord(parseJson(json, where), planSchema, where) as Plain;
  const { alignment, tokensOf } = plain;
  const isKnown = alignment === undefined || writtenAlignments.includes(alignment);
  check(isKnown, `${where}.alignment`, writtenAlignments.join(", "), `${alignment}`.slice(0, 60));
  check(
    (alignment === undefined) === (tokensOf === undefined) && /^(source|target)$/.test(tokensOf ?? "target"),
    `${where}.tokensOf`,
    "source or target of aligned rows, nothing of others",
    `${tokensOf}`.slice(0, 60),
  );
  const plan = {
    ...plain,
    sourceSites: plain.sourceSites.map(parseSite),
    targetSites: plain.targetSites.map(parseSite),
    hasCurve: plain.hasCurve === true,
  };
  const sites = plan.sourceSites.length + plan.targetSites.length;
  check(plan.sourceSites.length > 0 && plan.targetSites.length > 0, where, "sites of both models", `${sites}`);
  check(sites <= most.sites, where, `at most ${most.sites} sites`, `${sites}`);
  check(plan.folds >= 1 && plan.folds <= most.folds, `${where}.folds`, `1 to ${most.folds}`, `${plan.folds}`);
  const widest = Math.max(plan.source.width, plan.target.width);
  const narrowest = Math.min(plan.source.width, plan.target.width);
  check(narrowest >= 1 && widest <= most.width, `${where}: widths`, `1 to ${most.width}`, `${narrowest}, ${widest}`);
  checkSites(plan.sourceSites, plan.source.blocks, `${where}.sourceSites`);
  checkSites(plan.targetSites, plan.target.blocks, `${where}.targetSites`);
  checkBlocks(plan.blocks, sites, `${where}.blocks`);
  return plan;
}

/** Writes a ledger as JSON. */
export function formatLedger({ isComplete, stoppedEarly, ...ledger }: Ledger): string {
  return JSON.stringify({ ...ledger, ...(isComplete && { isComplete }), ...(stoppedEarly && { stoppedEarly }) });
}

/** Reads what {@link formatLedger} wrote. @throws bad-input naming the field */
export function parseLedger(json: string, where: string): Ledger {
  type Plain = Omit<Ledger, "isComplete" | "stoppedEarly"> & {
    readonly isComplete?: true;
    readonly stoppedEarly?: true;
  };
  const plain = checkRecord(parseJson(json, where), ledgerSchema, where) as Plain;
  check(
    Number.isSafeInteger(plain.lastUnit) && plain.lastUnit >= -1,
    `${where}.lastUnit`,
    "an integer from -1",
    `${plain.lastUnit}`,
  );
  for (const part of [plain, ...(plain.joined ?? [])])
    for (const shard of part.shards)
      check(isShard(shard), `${where}.shards`, "parts i of n from 1 to n", formatShard(shard));
  check(
    plain.windows <= plain.corpus.windows,
    `${where}.windows`,
    `at most ${plain.corpus.windows}`,
    `${plain.windows}`,
  );
  return {
    ...plain,
    limits: plain.limits,
    isComplete: plain.isComplete === true,
    stoppedEarly: plain.stoppedEarly === true,
  };
}

function checkSites(sites: readonly Site[], blocks: number, where: string): void {
  const layers = new Set(sites.map(({ layer }) => layer));
  check(layers.size === sites.length, where, "each site once", sites.map(formatSite).join(", ").slice(0, 80));
  for (const { layer } of sites) check(layer < blocks, where, `layers below ${blocks}`, `${layer}`);
}

function checkBlocks(blocks: readonly BlockName[], sites: number, where: string): void {
  const names = new Set(blocks.map(({ row, col }) => row * sites + col));
  check(names.size === blocks.length, where, "each product once", `${blocks.length - names.size} twice`);
  for (const { row, col } of blocks)
    check(col <= row && row < sites, where, `products of ${sites} sites, the later one first`, `${row}, ${col}`);
  for (let site = 0; site < sites; site++)
    check(names.has(site * sites + site), where, "the product of every site with itself", `none of site ${site}`);
}

function check(isSound: boolean, where: string, expected: string, found: string): void {
  if (!isSound) throw mismatch("bad-input", where, expected, found);
}

function parseJson(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw mismatch("bad-input", where, "JSON", JSON.stringify(json.slice(0, 60)), { cause: error });
  }
}
