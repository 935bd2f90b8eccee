import { formatCount, formatInterval, formatNumber } from "../format-number.ts";
import { formatMapLayers, type Study, type StudyMap } from "../study.ts";
import { renderHtmlTable } from "../table.ts";

type Scores = StudyMap["scores"];
type Prediction = Scores["nulls"]["mean"];

/** Renders every map of a study as a column: its scores, and below them what scores without it. */
export function renderMapTable({ maps, concepts }: Study): string {
  const users = maps.map((map, at) => {
    const names = concepts.filter((concept) => concept.map === at).map(({ name }) => name);
    return `${formatMapLayers(map)} carries ${names.join(", ") || "none of the concepts"}`;
  });
  // Not a row: a phone would show the names and no number.
  const carried = maps.length > 1 ? ` ${users.join("; ")}.` : "";
  const rows: (readonly string[])[] = [];
  const add = (title: string, cell: (scores: Scores, map: StudyMap) => string | undefined): void => {
    const cells = maps.map((map) => cell(map.scores, map));
    if (cells.some((text) => text !== undefined)) rows.push([title, ...cells.map((text) => text ?? "–")]);
  };
  add("the map: R²", ({ r2 }) => formatNumber(r2, 3));
  add("95 % interval", ({ r2Interval }) => formatInterval(r2Interval, 3));
  add("beyond the token", ({ tokenIdentity }) => formatNumber(tokenIdentity.beyond, 3));
  add("explained variance", ({ explainedVariance }) =>
    explainedVariance === undefined ? undefined : formatNumber(explainedVariance, 3),
  );
  add(
    "by dimension (quartiles)",
    ({ r2PerDimension: { lower, median, upper } }) =>
      `${formatNumber(median)} (${formatNumber(lower)}, ${formatNumber(upper)})`,
  );
  add("cosine (centred)", ({ cosine }) => `${formatNumber(cosine.raw)} (${formatNumber(cosine.centred)})`);
  add("directions used", ({ effectiveRank }, { target }) =>
    effectiveRank === undefined ? undefined : `${formatNumber(effectiveRank, 0)} of ${target.model.width}`,
  );
  add("held-out rows (windows)", ({ rows: count, windows }) => `${formatCount(count)} (${formatCount(windows)})`);
  add("current token only: R²", ({ tokenIdentity }) => formatNumber(tokenIdentity.table, 3));
  add("mean state: R² (cosine)", ({ nulls }) => showNull(nulls.mean));
  add("shuffled: R² (cosine)", ({ nulls }) => showNull(nulls.shuffled));
  add("rotation: R² (cosine)", ({ nulls }) => showNull(nulls.randomOrthogonal));
  add("untrained: R² (cosine)", ({ nulls }) => (nulls.untrained ? showNull(nulls.untrained) : undefined));
  return renderHtmlTable(
    [
      { title: "layers, small:large" },
      ...maps.map((map) => ({ title: formatMapLayers(map), align: "right" as const })),
    ],
    rows,
    `Layers: the state after this block of the small model, and after that block of the large one, both counted from 0.${carried}`,
  );
}

function showNull({ r2, cosine }: Prediction): string {
  return `${formatNumber(r2, 3)} (${formatNumber(cosine.raw)})`;
}
