import { createHash } from "node:crypto";
import { formatAlignment } from "../../activations/align/alignment.ts";
import { formatSite } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";
import { type CellPart, hashCell } from "../../evaluate/cell-store.ts";
import { defaultRows } from "../../maps/fit-map.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import { attempt, isProblem } from "./attempt.ts";
import { type MapCell, type MapEndInput, measureMaps } from "./measure-map.ts";
import { isKnown, type KnownModel, type ScaleBench, untrainedName } from "./scale-bench.ts";
import type { ScaleStudy, StudyScaleOptions } from "./study-scale.ts";

/** For each ordered pair, by `toKey`: a map of each seed, or why there is none. */
export type AllMaps = ReadonlyMap<string, readonly MapCell[] | string>;

/** Names an ordered pair. */
export function toKey(source: string, target: string): string {
  return JSON.stringify([source, target]);
}

/** Fits and scores the maps of every pair, each two models' both directions together. */
export async function measureAllMaps(study: ScaleStudy): Promise<AllMaps> {
  const { bench, settings, options, warnings } = study;
  const { corpus, maxRows, context, align, signal } = options;
  const all = new Map<string, readonly MapCell[] | string>();
  const text = await digestText(options, bench);
  const unordered = bench.models.flatMap((a, i) =>
    bench.models.slice(settings.self ? i : i + 1).map((b) => [a, b] as const),
  );
  const total = unordered.length * settings.seeds.length;
  let done = 0;
  for (const [a, b] of unordered) {
    const directions =
      a.name === b.name
        ? [[a, b]]
        : [
            [a, b],
            [b, a],
          ];
    const found = await attempt(async () => {
      const [source, target] = [checkKnown(a), checkKnown(b)];
      const cells: MapCell[][] = directions.map(() => []);
      for (const seed of settings.seeds) {
        const measured = await measureMaps(
          toEnd(source, study),
          toEnd(target, study),
          { corpus, maxRows, context, align, seed, signal },
          (from, to, compute) => options.cells.measure(mapKey(from, to, { study, text, seed }), compute),
        );
        for (const [way, cell] of measured.entries()) cells[way]!.push(cell);
        options.onProgress?.({ stage: "maps", done: ++done, total });
      }
      return cells;
    });
    for (const [way, [source, target]] of directions.entries()) {
      const cells = isProblem(found) ? found.problem : found[way]!;
      all.set(toKey(source!.name, target!.name), cells);
      if (typeof cells !== "string")
        for (const { warnings: own } of cells)
          for (const warning of own) warnings.add(`${source!.name} → ${target!.name}: ${warning}`);
    }
  }
  return all;
}

function toEnd({ name, record, layer, vectors }: KnownModel, { bench: { shelf, models } }: ScaleStudy): MapEndInput {
  const copy = untrainedName(name);
  const hasCopy = models.some((model) => isKnown(model) && model.name === name && model.hasUntrained);
  return {
    name,
    width: record.width,
    blocks: record.blocks,
    layer,
    vectors,
    open: (beside) => shelf.borrow(name, [beside]),
    openUntrained: hasCopy ? (beside) => shelf.borrow(copy, [beside]) : undefined,
  };
}

function checkKnown(model: ScaleBench["models"][number]): KnownModel {
  if (isKnown(model)) return model;
  throw mismatch("not-found", model.name, "a model that can be opened", model.problem);
}

function mapKey(
  source: MapEndInput,
  target: MapEndInput,
  {
    study: { bench, options },
    text,
    seed,
  }: { readonly study: ScaleStudy; readonly text: string; readonly seed: number },
): string {
  const identityOf = ({ name }: MapEndInput): CellPart => {
    const model = bench.models.find((other) => other.name === name);
    return model && isKnown(model) ? model.identity : null;
  };
  const part = (vector: SteeringVector | string): CellPart =>
    typeof vector === "string"
      ? vector
      : vector.directions.map(({ site, vector: values }) => [formatSite(site), values]);
  return hashCell({
    kind: "scale-map",
    version: 2,
    text,
    maxRows: options.maxRows,
    context: options.context,
    align: options.align && formatAlignment(options.align),
    seed,
    source: identityOf(source),
    target: identityOf(target),
    layers: [source.layer, target.layer],
    untrained: source.openUntrained !== undefined,
    vectors: source.vectors.map(part),
  });
}

/** Longest that a token of ordinary text is, characters: so much text is read at most for so many rows. */
const longestToken = 16;

/** Digest of the beginning of the corpus, as much of it as the largest number of rows can reach. */
async function digestText({ corpus, maxRows, signal }: StudyScaleOptions, { models }: ScaleBench): Promise<string> {
  const widest = Math.max(1, ...models.flatMap((model) => (isKnown(model) ? [model.record.width] : [])));
  const most = longestToken * (maxRows ?? defaultRows(widest));
  const hash = createHash("sha256").update(corpus.name);
  let length = 0;
  for await (const { text } of corpus.documents({ signal })) {
    hash.update(`\n${text.length}:${text}`);
    length += text.length;
    if (length >= most) break;
  }
  return hash.digest("hex");
}
