import { usableShare } from "../../activations/align/aligned-text.ts";
import { verdictThresholds } from "../../evaluate/verdict.ts";
import type {
  TokenizerArmResult,
  TokenizerConceptResult,
  TokenizerResult,
} from "../../study/tokenizers/tokenizer-result.ts";
import { type DataTable, lowHigh } from "../data-table.ts";
import { formatNumber } from "../format-number.ts";
import { renderTokenizerPlot } from "../plots/tokenizer-plot.ts";
import type { Report } from "../report.ts";

/** The report of a study of tokenizers: one figure, the maps, and every concept. */
export function toTokenizerReport(result: TokenizerResult): Report {
  const { run, settings, arms } = result;
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: toAnswer(result),
    warnings: run.warnings,
    sections: [
      {
        id: "arms",
        title: "Ways of pairing rows",
        lead: "Every column is a source model and what makes a row of it and the target: a token (ids), two tokens that end at the same byte (spans), or a sentence. Squares are measured; triangles are what has to be beaten.",
        figures: [
          {
            id: "tokenizers",
            title: "What another tokenizer costs",
            says:
              "R² of rows that are sentences is not comparable with R² of tokens: a mean varies less than what it is the mean of. What the carried vectors do is. Letters are concepts: " +
              `${settings.concepts.map((concept) => `${concept.slice(0, 1)} ${concept}`).join(", ")}.`,
            svg: renderTokenizerPlot(result),
            table: armTable(arms),
            basis: `${settings.corpus}, at most ${settings.maxRows} rows, seed ${settings.seed}; R² with its 95 % interval over held-out groups of windows; the token table goes by the target's token ids`,
          },
        ],
        notes: [],
      },
      {
        id: "concepts",
        title: "Every concept",
        lead: "A vector of the source, carried by the map, beside the target's own. Δr is the agreement of what both change, item by item.",
        figures: [
          {
            id: "concept",
            title: "Carried vectors against native ones",
            says: "A native z below 2 means that the target itself does not hold the concept as a direction here: nothing can be said then.",
            table: conceptTable(arms),
            basis: `strengths ${settings.strengths.join(", ")} median row norms, α* = ${settings.reference}; ${settings.random} random directions, those of the native vector; ${settings.resamples} bootstrap resamples over items`,
          },
        ],
        notes: [],
      },
    ],
  };
}

function armTable(arms: readonly TokenizerArmResult[]): DataTable {
  return {
    columns: [
      { title: "source" },
      { title: "paired by" },
      { title: "layers" },
      { title: "rows" },
      { title: "held out" },
      ...["% of source used", "% of target used"].map((title) => ({ title, digits: 1 })),
      ...["R²", "low", "high", "beyond token", "token table", "mean", "shuffled", "rotation", "untrained"].map(
        (title) => ({ title }),
      ),
    ],
    rows: arms.map((arm) => [
      arm.source,
      arm.align,
      `${arm.layers.source}:${arm.layers.target}`,
      arm.rows.fitted,
      arm.rows.heldOut,
      arm.alignment ? 100 * usableShare(arm.alignment.source) : 100,
      arm.alignment ? 100 * usableShare(arm.alignment.target) : 100,
      arm.r2,
      ...lowHigh(arm.interval),
      arm.beyond,
      arm.tokenTable,
      arm.nulls.mean,
      arm.nulls.shuffled,
      arm.nulls.rotation,
      arm.nulls.untrained,
    ]),
  };
}

function conceptTable(arms: readonly TokenizerArmResult[]): DataTable {
  const two = (title: string) => ({ title, digits: 2 });
  return {
    columns: [
      ...["concept", "source", "paired by", "items"].map((title) => ({ title })),
      ...["cosine", "of others", "r", "Δr", "Δr low", "Δr high", "random Δr", "slope", "slope low", "slope high"].map(
        two,
      ),
      { title: "z", digits: 1 },
      { title: "native z", digits: 1 },
      { title: "verdict" },
    ],
    rows: arms.flatMap((arm) =>
      arm.concepts.map((concept) => [
        concept.name,
        arm.source,
        arm.align,
        concept.items,
        concept.cosine,
        concept.otherCosine,
        concept.r.value,
        concept.deltaR.value,
        ...lowHigh(concept.deltaR.interval),
        concept.randomDeltaR,
        concept.slopeRatio.value,
        ...lowHigh(concept.slopeRatio.interval),
        concept.z,
        concept.zNative,
        concept.verdict,
      ]),
    ),
  };
}

/** Whether spans agree with ids, what the other tokenizer costs, and what sentences do: from the numbers. */
function toAnswer({ arms }: TokenizerResult): Report["answer"] {
  const ids = arms.find(({ align }) => align === "ids");
  const same = arms.find(({ align, source }) => align === "spans" && source === ids?.source);
  const other = arms.find(({ align, source }) => align === "spans" && source !== ids?.source);
  const pieces = arms.filter(({ align }) => align.includes("@"));
  return [
    !ids || !same
      ? "Spans were not set beside token ids of one source."
      : isEqual(ids, same)
        ? `Of two models with one tokenizer, spans give the map that token ids give, to the last digit (R² ${number(ids.r2)}).`
        : `Of two models with one tokenizer, spans give another map than token ids: R² ${number(same.r2)} instead of ${number(ids.r2)}.`,
    !other
      ? "No source with another tokenizer was measured."
      : `From a source with another tokenizer ${percent(other)} of the target's tokens have a row; R² is ${number(other.r2)} (${number(other.interval.low)} to ${number(other.interval.high)})${ids ? ` against ${number(ids.r2)} (${number(ids.interval.low)} to ${number(ids.interval.high)}) of the source with the target's own` : ""}, and ${sayConcepts(other, ids)}.`,
    pieces.length === 0
      ? "No rows that are pieces of text were measured."
      : `${pieces.map((arm) => `${arm.source} by ${arm.align}: ${sayConcepts(arm, undefined)}`).join("; ")}.`,
  ];
}

function isEqual(a: TokenizerArmResult, b: TokenizerArmResult): boolean {
  return (
    a.r2 === b.r2 && a.beyond === b.beyond && a.concepts.every(({ cosine }, i) => cosine === b.concepts[i]?.cosine)
  );
}

/** How many concepts steer, and their mean Δr. */
function sayConcepts(arm: TokenizerArmResult, beside: TokenizerArmResult | undefined): string {
  const judged = ({ concepts }: TokenizerArmResult) =>
    concepts.filter(({ zNative }) => (zNative ?? 0) >= verdictThresholds.insideNull);
  const own = judged(arm);
  if (own.length === 0) return "no concept stands out in the target itself";
  const moving = own.filter(({ z }) => (z ?? 0) >= verdictThresholds.insideNull).length;
  const mean = (concepts: readonly TokenizerConceptResult[]): number =>
    concepts.reduce((sum, { deltaR }) => sum + (deltaR.value ?? 0), 0) / concepts.length;
  const other = beside ? ` (${number(mean(judged(beside)), 2)} there)` : "";
  return `${moving} of ${own.length} concepts steer beyond random directions, with a mean Δr of ${number(mean(own), 2)}${other}`;
}

function percent({ alignment }: TokenizerArmResult): string {
  return alignment ? `${number(100 * usableShare(alignment.target), 1)} %` : "100 %";
}

function number(value: number, digits = 3): string {
  return formatNumber(value, digits);
}
