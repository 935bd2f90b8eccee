import { addCounts, noCounts } from "../../activations/align/aligned-text.ts";
import type { PairedRows } from "../../activations/read-rows.ts";
import type { SinkLimits } from "../../activations/sink-limits.ts";
import type { RowCounts } from "../affine-map.ts";
import type { Ledger } from "./collection.ts";
import type { ReadPoint, ReadRecord } from "./read-record.ts";
import type { Shard } from "./shard.ts";

/** The account of a collection while it grows. */
export interface GrowingLedger {
  /** Rows kept so far. */
  readonly rows: number;
  /** Tokens read so far. */
  readonly tokens: number;
  readonly windows: number;
  /** Takes the rows of a window and where the documents stood with it. */
  add(rows: PairedRows, point: ReadPoint): void;
  /** Says that a unit is over. */
  endUnit(unit: number): void;
  setLimits(limits: SinkLimits): void;
  /** Says that text was left because there were enough rows. */
  stopEarly(): void;
  view(record: ReadRecord, isComplete: boolean): Ledger;
}

const reasons = ["first", "special", "sink", "unselected", "unaligned"] as const;

/** Opens the account of a collection of some text, empty or going on from what was read. */
export function createLedger(name: string, shard: Shard | undefined, start: Ledger | undefined): GrowingLedger {
  const before = start?.rows.leftOut ?? { first: 0, special: 0, sink: 0, unselected: 0 };
  const leftOut = { ...before, unaligned: before.unaligned ?? 0 };
  let alignment = start?.alignment;
  let tokens = start?.rows.total ?? 0;
  let windows = start?.corpus.windows ?? 0;
  let withRows = start?.windows ?? 0;
  let lastUnit = start?.lastUnit ?? -1;
  let limits = start?.limits;
  let isStopped = false;
  let point: ReadPoint | undefined = start && { ...start.corpus, sketch: start.sketch ?? [] };
  return {
    get rows() {
      return reasons.reduce((rows, reason) => rows - leftOut[reason], tokens);
    },
    get tokens() {
      return tokens;
    },
    get windows() {
      return windows;
    },
    add(rows, at) {
      point = at;
      windows++;
      tokens += rows.read;
      if (rows.tokens.length > 0) withRows++;
      for (const reason of reasons) leftOut[reason] += rows.leftOut[reason] ?? 0;
      if (rows.alignment) alignment = addCounts(alignment ?? noCounts, rows.alignment);
    },
    endUnit(unit) {
      lastUnit = Math.max(lastUnit, unit);
    },
    setLimits(found) {
      limits = found;
    },
    stopEarly() {
      isStopped = true;
    },
    view(record, isComplete) {
      // A finished collection has read to the end, whatever units were its own; others come to where their last window does.
      const { sha256, documents, sketch } = isComplete && !isStopped ? record.end() : (point ?? record.end());
      return {
        corpus: { name, sha256, documents, windows },
        shards: shard ? [shard] : [],
        sketch,
        rows: { total: tokens, leftOut: alignment ? { ...leftOut } : withoutUnaligned(leftOut) },
        ...(alignment && { alignment }),
        windows: withRows,
        lastUnit,
        limits,
        isComplete,
        stoppedEarly: isStopped || (isComplete && record.wasCut()),
      };
    },
  };
}

/** Rows paired by token id have no such reason, and their files do not name it. */
function withoutUnaligned({ first, special, sink, unselected }: RowCounts["leftOut"]): RowCounts["leftOut"] {
  return { first, special, sink, unselected };
}
