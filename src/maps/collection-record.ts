import { formatSite, parseSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { checkRecord, type Schema } from "./check-record.ts";
import type { CollectionPlan, Ledger } from "./collection.ts";

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
  maxHeldBytes: "count",
};

const ledgerSchema: Schema = {
  corpus: { name: "string", sha256: "string", documents: "count", windows: "count" },
  shards: [{ index: "count", of: "count" }],
  rows: { total: "count", leftOut: { first: "count", special: "count", sink: "count", unselected: "count" } },
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
  for (const { row, col } of plan.blocks)
    check(
      col <= row && row < sites,
      `${where}.blocks`,
      `products of ${sites} sites, the later one first`,
      `${row}, ${col}`,
    );
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
  for (const { index, of } of plain.shards)
    check(index >= 1 && index <= of, `${where}.shards`, "parts numbered from 1", `${index}/${of}`);
  return {
    ...plain,
    limits: plain.limits,
    isComplete: plain.isComplete === true,
    stoppedEarly: plain.stoppedEarly === true,
  };
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
