import type { RunRecord } from "../../evaluate/run-record.ts";
import type { DecoderFit, DecoderRelation } from "../../features/decoder-relation.ts";
import type { DecoderStudy } from "../../study/decoders/decoder-study.ts";
import type { DataTable } from "../data-table.ts";
import { formatCount, formatNumber } from "../format-number.ts";
import { renderMapScorePlot, type ScoreBar } from "../plots/map-score-plot.ts";
import type { Report, ReportFigure, ReportSection } from "../report.ts";

/** The report of a decoder study: the paper's second figure, beside its nulls, and whether the map carries what the decoders say. */
export function toDecodersReport(study: DecoderStudy, run: RunRecord): Report {
  const { relation, carried } = study;
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: [matchSentence(study), relationSentence(study), carriedSentence(study)],
    warnings: [...run.warnings, ...(study.problem === null ? [] : [study.problem])],
    sections: [
      ...(relation ? [relationSection(study, relation)] : []),
      ...(carried ? [carriedSection(study, carried)] : []),
    ],
  };
}

function matchSentence({
  source,
  target,
  matched,
  matchedByChance,
  least,
  rows,
  medianCorrelation,
}: DecoderStudy): string {
  const found = matched === 0 ? "" : `, median correlation ${formatNumber(medianCorrelation)}`;
  const chance =
    matchedByChance === null
      ? "there was one document only, so what chance matches is not known"
      : `between different texts ${formatCount(matchedByChance)} are`;
  return `Of ${formatCount(source.features)} features of ${source.model} and ${formatCount(target.features)} of ${target.model}, ${formatCount(matched)} are active together on ${formatCount(rows)} tokens (correlation of at least ${least}${found}); ${chance}.`;
}

/** A share explained below this is not worth the word "image", however surely it is above chance. */
const littleExplained = 0.05;

function relationSentence({ relation, problem }: DecoderStudy): string {
  if (!relation) return `The decoders were not compared: ${problem}.`;
  const [own, shuffled, random] = [relation.heldOutUnexplained, mean(relation.shuffled), mean(relation.random)];
  const least = Math.min(...relation.shuffled.map(({ heldOutUnexplained }) => heldOutUnexplained));
  const isAboveChance = own < Math.min(1, least);
  const verdict = !isAboveChance
    ? "no better than permuted features, so nothing is shown"
    : own > 1 - littleExplained
      ? "more than chance, and next to nothing"
      : "so the decoders are in part linear images of one another";
  return `On features that were not fitted, a linear map leaves ${formatNumber(own, 3)} of the target decoder unexplained, against ${formatNumber(shuffled, 3)} for permuted features and ${formatNumber(random, 3)} for random matrices: ${verdict}.`;
}

function carriedSentence({ carried }: DecoderStudy): string {
  if (!carried)
    return "No map between the hidden states was given, so nothing is said of whether one carries decoder directions.";
  return `The map between the hidden states carries a decoder direction to its match with a mean cosine of ${formatNumber(carried.mean)}, to another one's with ${formatNumber(carried.shuffled)}.`;
}

function relationSection(study: DecoderStudy, relation: DecoderRelation): ReportSection {
  const kinds = [
    { label: "matched", fits: [relation], kind: "map" as const },
    ...(study.byIndex ? [{ label: "by index", fits: [study.byIndex], kind: "null" as const }] : []),
    { label: "permuted", fits: relation.shuffled, kind: "null" as const },
    { label: "random", fits: relation.random, kind: "null" as const },
  ];
  const bars = kinds.map(({ label, fits, kind }): ScoreBar => {
    const values = fits.map(({ heldOutUnexplained }) => 1 - heldOutUnexplained);
    const r2 = values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      label,
      r2,
      kind,
      ...(values.length > 1 && { interval: { low: Math.min(...values), high: Math.max(...values) } }),
    };
  });
  const table: DataTable = {
    columns: [
      ...["fit", "draws"].map((title) => ({ title })),
      { title: "‖W_S M − W_T‖", digits: 2 },
      ...["unexplained in-sample", "unexplained held out", "least of the draws", "cosine held out"].map((title) => ({
        title,
      })),
    ],
    rows: kinds.map(({ label, fits }) => {
      const of = (pick: (fit: DecoderFit) => number) => fits.reduce((sum, fit) => sum + pick(fit), 0) / fits.length;
      return [
        label,
        fits.length,
        of(({ residual }) => residual),
        of(({ unexplained }) => unexplained),
        of(({ heldOutUnexplained }) => heldOutUnexplained),
        Math.min(...fits.map(({ heldOutUnexplained }) => heldOutUnexplained)),
        of(({ heldOutCosine }) => heldOutCosine),
      ];
    }),
  };
  const figure: ReportFigure = {
    id: "decoders",
    title: "How much of one decoder is a linear image of the other",
    says: "Share explained of decoder rows that the fit did not see. A matrix as wide as the source's fits a share of any rows that it sees, so the paper's residual alone says little. By ridge, its penalty chosen without these rows; lines span the draws of a null.",
    svg: renderMapScorePlot(bars),
    table,
    basis: `${formatCount(relation.features)} matched features, a fifth held out; ${relation.random.length} draws of each null; seed ${relation.seed}`,
  };
  return {
    id: "relation",
    title: "The decoders",
    lead: `Least squares from the ${relation.widths[0]} dimensions of ${study.source.model} to the ${relation.widths[1]} of ${study.target.model}, one row a feature.`,
    figures: [figure],
    notes: study.byIndex
      ? [
          "By index: feature i taken for feature i, which for autoencoders trained apart means nothing. All features, so more rows.",
        ]
      : [],
  };
}

function carriedSection(study: DecoderStudy, carried: NonNullable<DecoderStudy["carried"]>): ReportSection {
  const bins = carried.byCorrelation.filter(({ cosine }) => cosine !== null);
  const name = ({ from, to }: (typeof bins)[number]): string => `${from} to ${to}`;
  const bars: ScoreBar[] = [
    ...bins.map((bin): ScoreBar => ({ label: name(bin), r2: bin.cosine ?? 0, kind: "map" })),
    { label: "permuted", r2: carried.shuffled, kind: "null" },
  ];
  return {
    id: "carried",
    title: "What the map does to decoder directions",
    lead: `A w_S against w_T of the matched feature, ${study.source.site} to ${study.target.site}.`,
    figures: [
      {
        id: "carried-directions",
        title: "Cosine of carried directions with their matches",
        says: "By the correlation of the two features' activations: the surer that two features are one, the better should the map carry the one to the other.",
        svg: renderMapScorePlot(bars, "cosine"),
        table: {
          columns: [{ title: "correlation" }, { title: "features" }, { title: "cosine" }],
          rows: [
            ...carried.byCorrelation.map((bin) => [name(bin), bin.features, bin.cosine]),
            ["all", study.matched, carried.mean],
            ["permuted", study.matched, carried.shuffled],
          ],
        },
        basis: `${formatCount(study.matched)} matched features; seed ${study.seed}`,
      },
    ],
    notes: [],
  };
}

function mean(fits: readonly DecoderFit[]): number {
  return fits.reduce((sum, { heldOutUnexplained }) => sum + heldOutUnexplained, 0) / fits.length;
}
