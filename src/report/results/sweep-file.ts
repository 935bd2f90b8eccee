import { mismatch } from "../../errors.ts";
import { checkRunRecord, type RunRecord } from "../../evaluate/run-record.ts";
import { checkRecord, type Schema } from "../../maps/check-record.ts";
import { alignmentSchema } from "../../maps/map-record.ts";
import type { SweepResult } from "../../maps/score/sweep-result.ts";

/** A sweep in a run folder. The file that `trimtab sweep -o` writes has no record of its run and is read as well. */
export interface SweepFile {
  readonly format: "trimtab-sweep";
  readonly version: 1;
  readonly run: RunRecord | null;
  readonly sweep: SweepResult;
}

/** Writes a sweep as JSON text. */
export function formatSweepFile(file: SweepFile): string {
  return `${JSON.stringify(file, null, 1)}\n`;
}

const model: Schema = {
  name: "string",
  sha256: "string",
  architecture: "string",
  width: "count",
  blocks: "count",
  quantisation: "string",
  tokenizerFingerprint: "string",
};
const pair: Schema = { source: "count", target: "count" };
const interval: Schema = { low: "number", high: "number", level: "number", resamples: "count" };
const best: Schema = {
  r2: ["null", pair],
  beyond: ["null", pair],
  cka: ["null", pair],
  svcca: ["null", pair],
};
const schema: Schema = {
  kind: "string",
  version: "string",
  source: model,
  target: model,
  layers: { source: ["count"], target: ["count"] },
  corpus: { name: "string", sha256: "string", documents: "count", windows: "count" },
  context: "count",
  seed: "count",
  rowSelection: "string",
  "alignment?": alignmentSchema,
  rows: { training: "number", validation: "number", heldOut: "number" },
  heldOutGroups: "count",
  cells: [
    {
      source: "count",
      target: "count",
      r2: "number",
      beyond: "number",
      cka: ["null", "number"],
      svcca: ["null", "number"],
      lambda: "number",
      validation: { r2: ["null", "number"], beyond: "number" },
      shuffled: { r2: "number", cka: ["null", "number"], svcca: ["null", "number"] },
      "r2Interval?": interval,
    },
  ],
  best,
  equalDepth: { pairs: [pair], best },
  picked: ["null", pair],
  gain: ["null", { r2: "number", interval }],
};

/** Checks that the layers are the models', and that every pair is of these layers. @throws bad-input */
function checkLayers(sweep: SweepResult, where: string): void {
  for (const end of ["source", "target"] as const) {
    const { blocks } = sweep[end];
    const layers = sweep.layers[end];
    for (const [i, layer] of layers.entries())
      if (layer >= blocks)
        throw mismatch("bad-input", `${where}.layers.${end}[${i}]`, `a layer below ${blocks}`, String(layer));
    const check = (layer: number | undefined, path: string): void => {
      if (layer !== undefined && !layers.includes(layer))
        throw mismatch("bad-input", `${where}.${path}.${end}`, `one of the layers ${layers.join(", ")}`, String(layer));
    };
    for (const [i, cell] of sweep.cells.entries()) check(cell[end], `cells[${i}]`);
    for (const [i, pair] of sweep.equalDepth.pairs.entries()) check(pair[end], `equalDepth.pairs[${i}]`);
    check(sweep.picked?.[end], "picked");
    for (const score of ["r2", "beyond", "cka", "svcca"] as const) {
      check(sweep.best[score]?.[end], `best.${score}`);
      check(sweep.equalDepth.best[score]?.[end], `equalDepth.best.${score}`);
    }
  }
}

/** Checks a sweep parsed from JSON, with or without the record of a run. @throws bad-input naming the first field that does not fit */
export function checkSweepFile(value: unknown, where: string): SweepFile {
  const file = value as { readonly [key: string]: unknown };
  const isBare = file["kind"] === "sweep";
  const run = isBare ? null : checkRunRecord(file["run"], `${where}: run`);
  const sweep = checkRecord(isBare ? value : file["sweep"], schema, `${where}: sweep`) as SweepResult;
  checkLayers(sweep, `${where}: sweep`);
  return { format: "trimtab-sweep", version: 1, run, sweep };
}
