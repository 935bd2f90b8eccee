import { formatCount, formatInterval, formatNumber } from "../format-number.ts";
import { formatMapLayers, type Study, type StudyMap } from "../study.ts";
import { renderHtmlTable } from "../table.ts";

type Scores = StudyMap["scores"];
type Prediction = Scores["nulls"]["mean"];

/** Renders every map of a study as a column: its scores, and below them what scores without it. */
export function renderMapTable({ maps, concepts }: Study): string {
  const users = maps.map((_, at) => concepts.filter(({ map }) => map === at).map(({ name }) => name));
  const rows: (readonly string[])[] = [];
  const add = (title: string, cell: (scores: Scores, map: StudyMap) => string | undefined): void => {
    const cells = maps.map((map) => cell(map.scores, map));
    if (cells.some((text) => text !== undefined)) rows.push([title, ...cells.map((text) => text ?? "–")]);
  };
  if (maps.length > 1) rows.push(["carries", ...users.map((names) => names.join(", ") || "–")]);
  add("R² of the map", ({ r2 }) => formatNumber(r2, 3));
  add("95 % interval over held-out windows", ({ r2Interval }) => formatInterval(r2Interval, 3));
  add("R² beyond the current token", ({ tokenIdentity }) => formatNumber(tokenIdentity.beyond, 3));
  add("explained variance, every dimension alike", ({ explainedVariance }) =>
    explainedVariance === undefined ? undefined : formatNumber(explainedVariance, 3),
  );
  add(
    "R² by dimension: median (quartiles)",
    ({ r2PerDimension: { lower, median, upper } }) =>
      `${formatNumber(median)} (${formatNumber(lower)}, ${formatNumber(upper)})`,
  );
  add("cosine (centred)", ({ cosine }) => `${formatNumber(cosine.raw)} (${formatNumber(cosine.centred)})`);
  add("directions that the predictions use", ({ effectiveRank }, { target }) =>
    effectiveRank === undefined ? undefined : `${formatNumber(effectiveRank, 0)} of ${target.model.width}`,
  );
  add("held-out rows (windows)", ({ rows: count, windows }) => `${formatCount(count)} (${formatCount(windows)})`);
  add("R² of the current token only", ({ tokenIdentity }) => formatNumber(tokenIdentity.table, 3));
  add("R² of the mean state (cosine)", ({ nulls }) => showNull(nulls.mean));
  add("R² of shuffled pairs (cosine)", ({ nulls }) => showNull(nulls.shuffled));
  add("R² of a random rotation (cosine)", ({ nulls }) => showNull(nulls.randomOrthogonal));
  add("R² of an untrained source (cosine)", ({ nulls }) => (nulls.untrained ? showNull(nulls.untrained) : undefined));
  return renderHtmlTable(
    [
      { title: "layers, small:large" },
      ...maps.map((map) => ({ title: formatMapLayers(map), align: "right" as const })),
    ],
    rows,
    "Layers: the state after this block of the small model, and after that block of the large one, both counted from 0.",
  );
}

function showNull({ r2, cosine }: Prediction): string {
  return `${formatNumber(r2, 3)} (${formatNumber(cosine.raw)})`;
}
