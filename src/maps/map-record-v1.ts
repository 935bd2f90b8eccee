import { mismatch } from "../errors.ts";
import { type MapRecord, parseJson, toMapModel, toMapRecord } from "./map-record.ts";

/**
 * Reads the record of a map in a file of version 1, which held one map from one site, fitted by ridge regression on the standardised
 * source with rows at every position.
 *
 * What such a file does not say (R² by dimension, explained variance) stays unsaid.
 *
 * @throws bad-input naming the field; unsupported for a kind of rows or a method that version 1 did not have
 */
export function parseMapRecordV1(metadata: ReadonlyMap<string, string>, path: string): MapRecord {
  const where = (key: string): string => `${path}: ${key}`;
  const part = (key: string): Fields => openFields(parseJson(metadata.get(key) ?? "", where(key)), where(key));
  const [source, target, fit, scores] = [part("source"), part("target"), part("fit"), part("scores")];
  const rowsKind = fit.get("rowsKind");
  if (rowsKind !== "all")
    throw mismatch("unsupported", where("fit.rowsKind"), "all", JSON.stringify(rowsKind)?.slice(0, 60) ?? "nothing", {
      hint: "update trimtab",
    });
  const models = {
    source: toMapModel(source.get("model"), where("source.model")),
    target: toMapModel(target.get("model"), where("target.model")),
  };
  const rows = new Map(openFields(fit.get("rows"), where("fit.rows")));
  const leftOut = openFields(rows.get("leftOut"), where("fit.rows.leftOut"));
  const tried = fit.get("tried");
  const choice = Array.isArray(tried) && tried.length > 1 ? "validation" : "given";
  return toMapRecord(
    {
      sources: [Object.fromEntries(source)],
      target: Object.fromEntries(target),
      fit: {
        ...Object.fromEntries(fit),
        space: "standardised",
        choice,
        rowSelection: rowsKind,
        rows: { ...Object.fromEntries(rows), leftOut: { ...Object.fromEntries(leftOut), unselected: 0 } },
      },
      scores: Object.fromEntries(scores),
    },
    models,
    path,
  );
}

type Fields = ReadonlyMap<string, unknown>;

function openFields(value: unknown, where: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw mismatch("bad-input", where, "an object", Array.isArray(value) ? "a list" : String(value).slice(0, 60));
  return new Map(Object.entries(value));
}
