import type { RunRecord } from "../../evaluate/run-record.ts";
import type { StitchPair, StitchResult } from "../../study/stitch/stitch-result.ts";
import type { DataTable } from "../data-table.ts";
import { formatCount, formatInterval, formatNumber, formatPercent } from "../format-number.ts";
import type { LayerMatrix } from "../layer-matrix.ts";
import { renderLayerHeatMap } from "../plots/layer-heat-map.ts";
import { renderStitchPlot } from "../plots/stitch-plot.ts";
import type { Report, ReportFigure } from "../report.ts";

/** The report of a study of stitched models: loss against cost, every pair, what the nulls make, what tuning brings. */
export function toStitchReport(result: StitchResult, run: RunRecord): Report {
  const { warnings } = result;
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: [bestSentence(result), nullSentence(result), tunedSentence(result)],
    warnings: [...new Set([...run.warnings, ...warnings])],
    sections: [
      {
        id: "stitched",
        title: "Stitched models",
        lead: `Blocks of ${result.source.name} up to a layer, a map, the blocks of ${result.target.name} behind a layer; pairs are written source:target.`,
        figures: [costFigure(result), pairsFigure(result), tunedFigure(result), targetsFigure(result)].flatMap(
          (figure) => figure ?? [],
        ),
        notes: [
          "The first position of every text gets the large model's own state, which depends on its token alone; in the nulls too.",
          "Compute counts the multiplications with weights, not attention over the text. Time is that of writing one token after another on the machine of the run, whatever else ran there.",
        ],
      },
    ],
  };
}

function best(pairs: readonly StitchPair[]): StitchPair {
  return pairs.reduce((a, b) => (b.loss.nats < a.loss.nats ? b : a));
}

function name({ source, target }: Pick<StitchPair, "source" | "target">): string {
  return `${source}:${target}`;
}

function bestSentence({ pairs, source, target }: StitchResult): string {
  const found = best(pairs);
  const better = pairs.filter(({ againstSource }) => againstSource.high < 0).length;
  const verdict =
    better === 0
      ? `no pair is better than ${source.name} alone, which is the thing to use instead`
      : `${better} of ${pairs.length} pairs are better than ${source.name} alone`;
  return `The best of ${pairs.length} pairs, ${name(found)}, scores ${formatNumber(found.loss.nats)} nats per token (${formatInterval(found.loss)}) on text held out, ${source.name} alone ${formatNumber(source.loss.nats)}, ${target.name} alone ${formatNumber(target.loss.nats)}: ${verdict}.`;
}

function nullSentence({ pairs, targets }: StitchResult): string {
  const beaten = pairs.filter(({ loss, target }) => {
    const table = targets.find((entry) => entry.target === target)?.table;
    return table !== undefined && loss.high < table.low;
  }).length;
  const shuffled = pairs.filter(({ loss, nulls }) => loss.high < nulls.shuffledNats).length;
  const untrained = pairs.filter(({ loss, nulls }) => nulls.untrainedNats !== null && loss.high < nulls.untrainedNats);
  const has = pairs.some(({ nulls }) => nulls.untrainedNats !== null);
  return `Beside what feeds the same blocks without a source model, a table by the current token alone, ${beaten} of ${pairs.length} pairs are clearly better; ${shuffled} beat a map of shuffled pairs${has ? `, ${untrained.length} one from a source that was never trained` : ""}.`;
}

function tunedSentence({ pairs, source }: StitchResult): string {
  const tuned = pairs.flatMap((pair) => (pair.tuned ? [{ ...pair, tuned: pair.tuned }] : []));
  if (tuned.length === 0) return "No map was tuned on the stitched loss.";
  const found = tuned.reduce((a, b) => (b.tuned.loss.nats < a.tuned.loss.nats ? b : a));
  const { againstPlain, againstSource, loss } = found.tuned;
  const gain = -againstPlain.nats;
  const helped =
    againstPlain.high < 0
      ? `takes ${formatNumber(gain)} nats (${formatNumber(-againstPlain.high)} to ${formatNumber(-againstPlain.low)}) off ${name(found)}`
      : `does not help ${name(found)} beyond chance (${formatNumber(gain)} nats)`;
  const verdict =
    againstSource.high < 0
      ? `better than ${source.name} alone`
      : againstSource.low > 0
        ? `still worse than ${source.name} alone by ${formatNumber(againstSource.nats)} nats`
        : `not told apart from ${source.name} alone`;
  return `Tuning the map on the stitched loss ${helped}, to ${formatNumber(loss.nats)} nats: ${verdict}, at ${formatPercent(found.cost.computeShare)} of the large model's compute and ${formatPercent(source.cost.computeShare)} for the small one.`;
}

function basis({ documents, rows, seed }: StitchResult): string {
  return `${formatCount(documents.heldOut)} held-out documents, ${formatCount(rows.heldOutTokens)} tokens; maps from ${formatCount(rows.fit)} rows; seed ${seed}; 95 % intervals over documents`;
}

function costFigure(result: StitchResult): ReportFigure {
  return {
    id: "loss-and-cost",
    title: "Loss against compute",
    says: `Lower is better, left is cheaper. The line joins what nothing cheaper beats; dashed is ${result.source.name} alone: a stitched model above it is worse than just using that. Grey triangles feed the late blocks a table by token.`,
    svg: renderStitchPlot(result),
    table: lossTable(result),
    basis: basis(result),
  };
}

function lossTable({ pairs, source, target }: StitchResult): DataTable {
  return {
    columns: [
      ...["model", "nats", "low", "high", "against small", "tuned", "shuffled", "untrained", "R²"].map((title) => ({
        title,
      })),
      ...["parameters", "bytes"].map((title) => ({ title, digits: 0 })),
      { title: "compute", digits: 2 },
      { title: "ms/token", digits: 2 },
    ],
    rows: [
      ...[source, target].map((model) => [
        model.name,
        model.loss.nats,
        model.loss.low,
        model.loss.high,
        model === source ? 0 : null,
        null,
        null,
        null,
        null,
        model.cost.weights.parameters,
        model.cost.weights.bytes,
        model.cost.computeShare,
        model.msPerToken,
      ]),
      ...pairs.map((pair) => [
        name(pair),
        pair.loss.nats,
        pair.loss.low,
        pair.loss.high,
        pair.againstSource.nats,
        pair.tuned?.loss.nats ?? null,
        pair.nulls.shuffledNats,
        pair.nulls.untrainedNats,
        pair.r2,
        pair.cost.weights.parameters,
        pair.cost.weights.bytes,
        pair.cost.computeShare,
        pair.msPerToken,
      ]),
    ],
  };
}

function pairsFigure(result: StitchResult): ReportFigure {
  const matrix = toMatrix(result);
  return {
    id: "pairs",
    title: "Every pair of cut points",
    says: "Share of the way from a constant row in place of the small model (0) to the large model alone (1). Maps are fitted by least squares.",
    svg: renderLayerHeatMap(matrix),
    table: {
      columns: [{ title: "source layer" }, ...matrix.target.layers.map((layer) => ({ title: `to ${layer}` }))],
      rows: matrix.source.layers.map((layer, at) => [`${layer}`, ...(matrix.values[at] ?? [])]),
    },
    basis: basis(result),
  };
}

function toMatrix({ pairs, targets, source, target }: StitchResult): LayerMatrix {
  const layersOf = (of: (pair: StitchPair) => number): number[] => [...new Set(pairs.map(of))].sort((a, b) => a - b);
  const [from, to] = [layersOf((pair) => pair.source), layersOf((pair) => pair.target)];
  return {
    label: "share of the way",
    source: { name: source.name, layers: from, blocks: source.blocks },
    target: { name: target.name, layers: to, blocks: target.blocks },
    values: from.map((i) =>
      to.map((j) => {
        const pair = pairs.find((one) => one.source === i && one.target === j);
        const constant = targets.find((one) => one.target === j)?.constantNats;
        if (!pair || constant === undefined || !(constant > target.loss.nats)) return null;
        return (constant - pair.loss.nats) / (constant - target.loss.nats);
      }),
    ),
  };
}

function tunedFigure({ pairs, rows, seed, documents }: StitchResult): ReportFigure | undefined {
  const tuned = pairs.flatMap((pair) => (pair.tuned ? [{ pair, tuned: pair.tuned }] : []));
  if (tuned.length === 0) return undefined;
  return {
    id: "tuned",
    title: "Tuned on the stitched loss",
    says: "Least squares and tuned maps on the same held-out documents; a gain below 0 is a loss that fell. Pairs and steps were chosen on other documents.",
    table: {
      columns: [
        "pair",
        "least squares",
        "tuned",
        "gain",
        "gain low",
        "gain high",
        "against small",
        "low",
        "high",
        "kept",
      ].map((title) => ({ title })),
      rows: tuned.map(({ pair, tuned: found }) => [
        name(pair),
        pair.loss.nats,
        found.loss.nats,
        found.againstPlain.nats,
        found.againstPlain.low,
        found.againstPlain.high,
        found.againstSource.nats,
        found.againstSource.low,
        found.againstSource.high,
        found.kept.join(", "),
      ]),
    },
    basis: `tuned on ${formatCount(rows.tuning)} tokens, chosen on ${documents.validation} documents, scored on ${documents.heldOut} others; seed ${seed}`,
  };
}

function targetsFigure({ targets, documents, seed }: StitchResult): ReportFigure {
  return {
    id: "without-a-source",
    title: "The same late blocks without a source model",
    says: "What the blocks behind a layer make of its mean state, and of each token's mean state there: how much of a stitched model is just the current token.",
    table: {
      columns: ["after layer", "constant row", "token table", "low", "high", "unseen tokens"].map((title) => ({
        title,
      })),
      rows: targets.map(({ target, constantNats, table, unseenShare }) => [
        `${target}`,
        constantNats,
        table.nats,
        table.low,
        table.high,
        unseenShare,
      ]),
    },
    basis: `${documents.heldOut} held-out documents; seed ${seed}; 95 % intervals over documents`,
  };
}
