import { mismatch } from "../../errors.ts";
import { readSafetensorsHeader } from "../../formats/safetensors.ts";
import { checkKind } from "../tensor-file.ts";
import type { Collection, CollectionPlan, Ledger } from "./collection.ts";
import { alignedVersion, checkVersion, momentsKind, momentsVersion, parseNumbers } from "./collection-file.ts";
import { parseCollectionPlan, parseLedger } from "./collection-record.ts";
import { partCount } from "./split-groups.ts";

/** What a file of moments says of itself before any number is read. */
export interface CollectionHeader {
  readonly plan: CollectionPlan;
  readonly ledger: Ledger;
  /** Rows by part; see `Collection.parts`. */
  readonly rowCounts: readonly number[];
  readonly heldOut: { readonly windows: number; readonly rows: number };
  /** Different token ids among the rows that fit. */
  readonly tokens: number;
}

/**
 * Reads what a file of moments is of, without its numbers: quick, whatever its size.
 *
 * @throws not-found, io; bad-input for another kind of file; unsupported for another version
 */
export async function readCollectionHeader(path: string): Promise<CollectionHeader> {
  const { metadata, tensors } = await readSafetensorsHeader(path);
  const names = tensors.map(({ name }) => name);
  const version = checkKind({ metadata, names }, momentsKind, path, [momentsVersion, alignedVersion]);
  const text = (key: string): string => metadata.get(key) ?? "";
  const sizeOf = (name: string): number => {
    const found = tensors.find((tensor) => tensor.name === name);
    if (!found) throw mismatch("bad-input", path, `a tensor ${name}`, "none");
    return found.shape[0] ?? 0;
  };
  const plan = checkVersion(parseCollectionPlan(text("plan"), `${path}: plan`), version, path);
  return {
    plan,
    ledger: parseLedger(text("ledger"), `${path}: ledger`),
    rowCounts: parseNumbers(text("rows"), partCount(plan), `${path}: rows`),
    heldOut: { windows: sizeOf("held.windows"), rows: sizeOf("held.tokens") },
    tokens: sizeOf("tokens.fitted.ids"),
  };
}

/** What a file of this collection would say of itself. */
export function toCollectionHeader({ plan, ledger, rowCounts, heldOut, tokens }: Collection): CollectionHeader {
  const rows = heldOut.reduce((sum, window) => sum + window.tokens.length, 0);
  return { plan, ledger, rowCounts, heldOut: { windows: heldOut.length, rows }, tokens: tokens.fitted.byToken.size };
}
