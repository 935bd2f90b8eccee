import type { SweepCriterion, SweepResult } from "../maps/score/sweep-result.ts";
import { formatNumber } from "./format-number.ts";
import type { LayerMatrix } from "./layer-matrix.ts";

/** What each criterion of a sweep is called. */
export const sweepLabels: Readonly<Record<SweepCriterion, string>> = {
  r2: "held-out R²",
  beyond: "R² beyond token identity",
  cka: "linear CKA",
  svcca: "SVCCA",
};

/**
 * One criterion of a sweep as a matrix to draw. Its label says what shuffled pairs score at most: the floor of every cell. The name of a model stands with its quantisation where both are of one name.
 */
export function toSweepMatrix(sweep: SweepResult, criterion: SweepCriterion): LayerMatrix {
  const { source, target, layers, cells } = sweep;
  const isSame = source.name === target.name;
  const name = (model: SweepResult["source"]): string => (isSame ? `${model.name} ${model.quantisation}` : model.name);
  const floors = cells.flatMap(({ shuffled }) => (criterion === "beyond" ? [] : (shuffled[criterion] ?? [])));
  const floor = floors.length > 0 ? Math.max(...floors) : undefined;
  const values = new Map(cells.map((cell) => [`${cell.source}:${cell.target}`, cell[criterion]]));
  return {
    label:
      floor === undefined ? sweepLabels[criterion] : `${sweepLabels[criterion]}; shuffled ≤ ${formatNumber(floor)}`,
    source: { name: name(source), layers: layers.source, blocks: source.blocks },
    target: { name: name(target), layers: layers.target, blocks: target.blocks },
    values: layers.source.map((from) => layers.target.map((to) => values.get(`${from}:${to}`) ?? null)),
  };
}
