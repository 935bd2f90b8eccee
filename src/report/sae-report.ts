import type { RunRecord } from "../evaluate/run-record.ts";
import { mean } from "../evaluate/statistics.ts";
import type { Explained } from "../study/sae/held-rows.ts";
import type { SaeStudyResult, SaeStudySeed } from "../study/sae/sae-study-result.ts";
import { type DataTable, lowHigh } from "./data-table.ts";
import { formatNumber, formatPercent } from "./format-number.ts";
import { renderSaeCurvePlot } from "./plots/sae-curve-plot.ts";
import type { Report, ReportFigure, ReportSection } from "./report.ts";

/** Shows a study of a carried autoencoder. */
export function toSaeReport(result: SaeStudyResult, run: RunRecord): Report {
  return {
    format: "trimtab-report",
    version: 1,
    run,
    answer: toAnswer(result),
    warnings: run.warnings,
    sections: [zeroShotSection(result), trainingSection(result), featureSection(result)],
  };
}

function over(result: SaeStudyResult, pick: (seed: SaeStudySeed) => number): number {
  return mean(result.seeds.map(pick));
}

/** The lowest and the highest of some numbers, as words. */
function range(values: readonly number[], format: (value: number) => string): string {
  const [low, high] = [format(Math.min(...values)), format(Math.max(...values))];
  return low === high ? low : `${low} to ${high}`;
}

function toAnswer(result: SaeStudyResult): Report["answer"] {
  const { seeds, ceiling, levels, flops } = result;
  const zero = (pick: (seed: SaeStudySeed["zeroShot"]) => Explained): string =>
    formatNumber(over(result, ({ zeroShot }) => pick(zeroShot).value));
  const gain = seeds.map(({ trained }) => trained.carried.value - trained.scratch.value);
  const nullGain = seeds.map(({ trained }) => trained["shuffled map"].value - trained.scratch.value);
  const ninety = levels.find(({ share }) => share === 0.9);
  const last = levels.find(({ share }) => share === 1);
  const saved = (level: typeof ninety): readonly number[] => (level?.saved ?? []).filter((value) => value !== null);
  const say = (level: typeof ninety): string =>
    saved(level).length === 0 ? "an unknown share" : range(saved(level), (value) => formatPercent(value));
  const better = gain.every((value) => value > 0)
    ? "more"
    : gain.every((value) => value < 0)
      ? "less"
      : "not clearly more";
  const overhead = flops.maps + flops.sourceTraining;
  return [
    `Without any training on the target, the carried autoencoder explains ${zero(({ carried }) => carried)} of the variance of held-out states; the maps alone, there and back, keep ${formatNumber(ceiling.value)}; carried by nothing it explains ${zero(({ shuffledMap }) => shuffledMap)}, untrained directions ${zero(({ untrained }) => untrained)}, and one trained on the target ${formatNumber(over(result, ({ trained }) => trained.scratch.value))}${sayLosses(result)}.`,
    `At equal steps, training from it explains ${better} than training from scratch (by ${range(gain, (value) => formatNumber(value, 3))}; started from one carried by nothing, by ${range(nullGain, (value) => formatNumber(value, 3))}); to explain 90 % of what scratch reaches takes ${say(ninety)} less training, to explain all of it ${say(last)} less.`,
    `That leaves out the maps, ${formatPercent(flops.maps / flops.training)} of a training on the target, and the autoencoder of the source, ${formatPercent(flops.sourceTraining / flops.training)}: ${overhead < flops.training * Math.min(...saved(last), 1) && saved(last).length > 0 ? "even with both it is cheaper" : "it pays where those are there already"}. Of the features judged, ${formatPercent(over(result, ({ survival }) => survival.survives))} are active on the same tokens as on the source (correlation above 0.5; carried by nothing ${formatPercent(over(result, ({ survival }) => survival.nullSurvives))}).`,
  ];
}

/** What of the model's loss the carried autoencoder keeps, beside untrained directions: where it is no better, that is said too. */
function sayLosses({ losses }: SaeStudyResult): string {
  const of = (wanted: string): number | undefined => losses?.arms.find(({ name }) => name === wanted)?.recovered.value;
  const [carried, untrained] = [of("carried, no training"), of("untrained")];
  if (carried === undefined || untrained === undefined) return "";
  return `; put in place of the states, it recovers ${formatNumber(carried)} of the model's loss, ${carried > untrained ? "more" : "no more"} than untrained directions (${formatNumber(untrained)})`;
}

function zeroShotSection(result: SaeStudyResult): ReportSection {
  const { seeds, ceiling, rows, maps, losses, seed } = result;
  const arms: readonly (readonly [string, (seed: SaeStudySeed) => Explained])[] = [
    ["on the source itself", ({ source }) => source],
    ["carried", ({ zeroShot }) => zeroShot.carried],
    ["carried, unit decoder", ({ zeroShot }) => zeroShot.carriedUnit],
    ["carried by wrongly paired rows", ({ zeroShot }) => zeroShot.shuffledMap],
    ["untrained directions", ({ zeroShot }) => zeroShot.untrained],
    ["trained on the target, decoder permuted", ({ zeroShot }) => zeroShot.permuted],
    ["trained on the target", ({ trained }) => trained.scratch],
  ];
  const table: DataTable = {
    columns: [
      { title: "autoencoder" },
      { title: "seed", digits: 0 },
      ...["explained", "low", "high"].map((title) => ({ title })),
    ],
    rows: [
      ["maps alone, there and back", "–", ceiling.value, ...lowHigh(ceiling.interval)],
      ...arms.flatMap(([name, pick]) =>
        seeds.map((each) => [name, String(each.seed), pick(each).value, ...lowHigh(pick(each).interval)]),
      ),
    ],
  };
  return {
    id: "zero-shot",
    title: "Without training",
    lead: `The map forward explains ${formatNumber(maps.forward.r2)} of the target's variance, the map back ${formatNumber(maps.backward.r2)} of the source's (wrongly paired rows: ${formatNumber(maps.forward.r2Shuffled)}, ${formatNumber(maps.backward.r2Shuffled)}).`,
    figures: [
      {
        id: "zero-shot-table",
        title: "Explained variance of held-out states",
        says: "1 − FVU: 0 is what the mean row explains. Maps alone, there and back, are what there is to carry.",
        table,
        basis: `${rows.heldOut} rows of ${rows.groups} groups of windows held out from maps and trainings; 95 % intervals by bootstrap over groups; seed ${seed}`,
      },
      ...(losses ? [lossFigure(losses, seeds[0]!.seed)] : []),
    ],
    notes: [],
  };
}

function lossFigure({ clean, arms }: NonNullable<SaeStudyResult["losses"]>, seed: number): ReportFigure {
  return {
    id: "losses",
    title: "Loss with the reconstruction in place",
    says: `What is left of the target when an autoencoder's reconstruction stands in place of its states: loss in nats a token (${formatNumber(clean, 3)} untouched), and the share recovered of what the mean row costs.`,
    table: {
      columns: ["autoencoder", "explained", "L0", "loss", "recovered", "low", "high"].map((title) => ({ title })),
      rows: arms.map(({ name, explained, l0, loss, recovered }) => [
        name,
        explained,
        l0,
        loss,
        recovered.value,
        recovered.low,
        recovered.high,
      ]),
    },
    basis: `documents held out; 95 % intervals over documents; seed ${seed}`,
  };
}

function trainingSection(result: SaeStudyResult): ReportSection {
  const { settings, seeds, levels, flops, rows } = result;
  const basis = `${settings.kind}, ${settings.features} features, k ${settings.k}, ${settings.steps} steps of ${settings.batch} rows out of ${rows.trained}; ${seeds.length} seeds: the same rows, order and settings for each start`;
  const steps = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === values.length ? mean(known) : null;
  };
  const giga = (value: number): number => value / 1e9;
  return {
    id: "training",
    title: "Training from it, and from scratch",
    lead: "The same rows in the same order, the same number of steps and the same settings; only the start differs.",
    figures: [
      {
        id: "curves",
        title: "Explained variance while training",
        says: "On states held out. Orange starts from the carried autoencoder, blue from random directions, grey from one carried by a map of wrongly paired rows.",
        svg: renderSaeCurvePlot(result),
        table: {
          columns: [
            { title: "seed" },
            { title: "step" },
            { title: "operations, 10⁹" },
            { title: "from the carried one" },
            { title: "from scratch" },
            { title: "null" },
          ],
          rows: seeds.flatMap(({ seed, curves }) =>
            curves.carried.map(({ step, explained }, i) => [
              String(seed),
              step,
              giga(step * flops.step),
              explained,
              curves.scratch[i]?.explained ?? null,
              curves["shuffled map"][i]?.explained ?? null,
            ]),
          ),
        },
        basis,
      },
      {
        id: "savings",
        title: "Training saved",
        says: "Steps to explain a share of what training from scratch explains at its end, and the part of them that the carried start saves. –: not reached.",
        table: {
          columns: [
            "share",
            "level",
            "steps carried",
            "steps scratch",
            "steps null",
            "saved, least",
            "saved, most",
          ].map((title) => ({ title })),
          rows: levels.map(({ share, level, steps: of, saved }) => {
            const known = saved.filter((value) => value !== null);
            const isKnown = known.length === saved.length;
            return [
              formatPercent(share),
              mean(level),
              steps(of.carried),
              steps(of.scratch),
              steps(of["shuffled map"]),
              isKnown ? Math.min(...known) : null,
              isKnown ? Math.max(...known) : null,
            ];
          }),
        },
        basis: `means over ${seeds.length} seeds; straight lines between points of the curves`,
      },
      {
        id: "costs",
        title: "What it costs",
        says: "Floating-point operations, counted by formula. The maps and the source's autoencoder are needed once; reading is the models' own work.",
        table: {
          columns: [{ title: "part" }, { title: "operations, 10⁹" }, { title: "of a training on the target" }],
          rows: [
            ["training on the target, all steps", giga(flops.training), 1],
            ["maps both ways", giga(flops.maps), flops.maps / flops.training],
            ["autoencoder of the source", giga(flops.sourceTraining), flops.sourceTraining / flops.training],
            ["reading the maps' text with both models", giga(flops.reading), flops.reading / flops.training],
          ],
        },
        basis: `a step: 2 B n d + 8 B k d + 20 n d; maps: n (d₁ + d₂)² and two decompositions; reading: 2 operations a parameter and token`,
      },
    ],
    notes: [],
  };
}

function featureSection(result: SaeStudyResult): ReportSection {
  return {
    id: "features",
    title: "Which features survive",
    lead: "A feature survives if it is active on the target for the same tokens as on the source, without or after training.",
    figures: [
      {
        id: "survival",
        title: "Correlation of each feature with itself",
        says: "Activations on the source's states and on the target's, over the same held-out tokens, feature by feature.",
        table: {
          columns: [
            "seed",
            "judged",
            "silent",
            "lower quartile",
            "median",
            "upper quartile",
            "above 0.5",
            "null median",
            "null above 0.5",
            "trained median",
            "trained above 0.5",
          ].map((title) => ({ title })),
          rows: result.seeds.map(({ seed, survival: s }) => [
            String(seed),
            s.judged,
            s.silent,
            s.lower,
            s.median,
            s.upper,
            s.survives,
            s.nullMedian,
            s.nullSurvives,
            s.trainedMedian,
            s.trainedSurvives,
          ]),
        },
        basis: `${result.rows.heldOut} rows held out; features active in at least 10 of them on the source; null: carried by a map of wrongly paired rows`,
      },
    ],
    notes: [],
  };
}
