import { residPost } from "../../engine/site.ts";
import type { Estimate } from "../../evaluate/comparison.ts";
import { mean, toFinite } from "../../evaluate/statistics.ts";
import { verdictThresholds } from "../../evaluate/verdict.ts";
import { cosineBetween } from "../../vectors/combine.ts";
import type { SteeringVector } from "../../vectors/steering-vector.ts";
import { attempt, isProblem } from "./attempt.ts";
import { type AllMaps, toKey } from "./measure-all-maps.ts";
import { type ConceptCell, measureConcept } from "./measure-concept.ts";
import { atSite, fromCarried, type MapCell } from "./measure-map.ts";
import { isKnown, type KnownModel } from "./scale-bench.ts";
import type { ScaleConcept, ScaleMap, ScaleMeasure, ScalePair, SeededEstimate } from "./scale-result.ts";
import { toSeededValue } from "./seeded-value.ts";
import type { ScaleStudy } from "./study-scale.ts";

/**
 * Steers every target by every carried vector, target by target, and makes the pairs of the result, source by source.
 */
export async function measureConcepts(study: ScaleStudy, maps: AllMaps): Promise<ScalePair[]> {
  const { bench, settings, concepts, options } = study;
  const wanted = bench.models.flatMap((target) =>
    bench.models
      .filter((source) => settings.self || source.name !== target.name)
      .map((source) => ({ source, target, maps: maps.get(toKey(source.name, target.name)) ?? "no map" })),
  );
  const total = wanted.length * concepts.length * settings.seeds.length;
  let done = 0;
  const pairs: ScalePair[] = [];
  for (const { source, target, maps: cells } of wanted) {
    const names = { source: source.name, target: target.name };
    if (!isKnown(source) || !isKnown(target) || typeof cells === "string") {
      const unknown = [source, target].find((model) => !isKnown(model));
      const problem = unknown && "problem" in unknown ? unknown.problem : String(cells);
      const ratio = isKnown(source) && isKnown(target) ? target.record.parameters / source.record.parameters : null;
      pairs.push({ ...names, ratio, problem, map: null, concepts: [], judged: 0, summary: noSummary });
      done += concepts.length * settings.seeds.length;
      continue;
    }
    const measured: ScaleConcept[] = [];
    for (const at of concepts.keys()) {
      measured.push(await measureOver(study, { target, cells, at }));
      done += settings.seeds.length;
      options.onProgress?.({ stage: "steering", done, total });
    }
    pairs.push(toPair({ ...names, ratio: target.record.parameters / source.record.parameters }, cells, measured));
  }
  const order = bench.models.map(({ name }) => name);
  return pairs.sort((a, b) => order.indexOf(a.source) - order.indexOf(b.source));
}

/** One concept of one pair over the seeds of its map. */
async function measureOver(
  { bench, settings, concepts, options }: ScaleStudy,
  { target, cells, at }: { readonly target: KnownModel; readonly cells: readonly MapCell[]; readonly at: number },
): Promise<ScaleConcept> {
  const { name, items } = concepts[at]!;
  const nativeOf = (concept: number, layer: number): SteeringVector | string => {
    const vector = target.vectors[concept]!;
    return typeof vector === "string" ? vector : atSite(vector, residPost(layer));
  };
  const found = await attempt(async () => {
    const each: (ConceptCell & { readonly otherCosine: number | null })[] = [];
    for (const { layers, carried: all } of cells) {
      const native = nativeOf(at, layers.target);
      const carried = fromCarried(all[at]!);
      if (typeof native === "string") return { problem: `in the target: ${native}` };
      if (typeof carried === "string") return { problem: `in the source: ${carried}` };
      const cell = await measureConcept(native, carried, {
        ...settings,
        name,
        items,
        // One draw of random directions for all maps.
        seed: settings.seeds[0] as number,
        cells: options.cells,
        identity: target.identity,
        open: () => bench.shelf.borrow(target.name),
        signal: options.signal,
      });
      const others = concepts.flatMap((_, k) => {
        const other = k === at ? "itself" : nativeOf(k, layers.target);
        return typeof other === "string" ? [] : [Math.abs(cosineBetween(other, carried)[0]?.cosine ?? 0)];
      });
      each.push({ ...cell, otherCosine: toFinite(mean(others)) });
    }
    return each;
  });
  const cellsOf = isProblem(found) ? [] : found;
  const [first] = cellsOf;
  const over = (pick: (cell: (typeof cellsOf)[number]) => number | null) => toSeededValue(cellsOf.map(pick));
  const estimate = (pick: (cell: ConceptCell) => Estimate): SeededEstimate => ({
    ...toSeededValue(cellsOf.map((cell) => pick(cell).value)),
    interval: first ? pick(first).interval : null,
  });
  return {
    name,
    problem: isProblem(found) ? found.problem : null,
    items: items.length,
    cosine: over(({ cosine }) => cosine),
    otherCosine: over(({ otherCosine }) => otherCosine),
    r: estimate(({ r }) => r),
    deltaR: estimate(({ deltaR }) => deltaR),
    randomDeltaR: first?.randomDeltaR ?? null,
    slopeRatio: estimate(({ slopeRatio }) => slopeRatio),
    zNative: first?.zNative ?? null,
    z: over(({ z }) => z),
    verdict: first?.verdict ?? null,
  };
}

const noSummary: Readonly<Record<ScaleMeasure, null>> = {
  r2: null,
  beyond: null,
  cosine: null,
  r: null,
  deltaR: null,
  slopeRatio: null,
  z: null,
};

function toPair(
  names: Pick<ScalePair, "source" | "target" | "ratio">,
  cells: readonly MapCell[],
  concepts: readonly ScaleConcept[],
): ScalePair {
  const map = toMap(cells);
  const judged = concepts.filter(({ zNative }) => zNative !== null && zNative >= verdictThresholds.insideNull);
  const meanOf = (pick: (concept: ScaleConcept) => { readonly value: number | null }): number | null => {
    const known = judged.flatMap((concept) => pick(concept).value ?? []);
    return toFinite(mean(known));
  };
  return {
    ...names,
    problem: null,
    map,
    concepts,
    judged: judged.length,
    summary: {
      r2: map.r2.value,
      beyond: map.beyond.value,
      cosine: meanOf(({ cosine }) => cosine),
      r: meanOf(({ r }) => r),
      deltaR: meanOf(({ deltaR }) => deltaR),
      slopeRatio: meanOf(({ slopeRatio }) => slopeRatio),
      z: meanOf(({ z }) => z),
    },
  };
}

function toMap(cells: readonly MapCell[]): ScaleMap {
  const first = cells[0] as MapCell;
  const over = (pick: (cell: MapCell) => number | null) => toSeededValue(cells.map(pick));
  return {
    layers: first.layers,
    alignment: first.alignment,
    r2: { ...over(({ r2 }) => r2), interval: first.interval },
    beyond: over(({ beyond }) => beyond),
    tokenTable: over(({ tokenTable }) => tokenTable),
    nulls: {
      mean: over((cell) => cell.mean),
      shuffled: over(({ shuffled }) => shuffled),
      rotation: over(({ rotation }) => rotation),
      untrained: over(({ untrained }) => untrained),
    },
    rows: first.rows,
  };
}
