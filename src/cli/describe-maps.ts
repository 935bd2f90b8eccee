import { type AffineMap, formatLayers, renderTable } from "../index.ts";
import { describeMaker, describeMap, describeMethod, describeRead, showScore, toPlainMap } from "./describe-map.ts";
import type { Shown } from "./inspect.ts";

/** Shows the maps of a file: a single one as {@link describeMap} does, of several what they share and a row for each. */
export function describeMaps(maps: readonly AffineMap[]): Shown {
  const [first] = maps as readonly [AffineMap];
  if (maps.length === 1) return describeMap(first);
  const { model: source } = first.sources[0]!;
  const { model: target } = first.target;
  return {
    rows: [
      ["maps", `${maps.length}, ${source.width} → ${target.width}`],
      ["from", `${source.name} ${source.quantisation}, ${source.blocks} blocks`],
      ["to", `${target.name} ${target.quantisation}, ${target.blocks} blocks`],
      ...shared(maps, ({ fit }) => describeRead(fit)),
      ...shared(maps, ({ fit }) => [["method", `${fit.method}, seed ${fit.seed}`]]),
      ["layers", renderTable(columns, maps.map(toRow))],
      ...shared(maps, ({ fit }) => [["made by", describeMaker(fit)]]),
    ],
    json: { kind: "maps", maps: maps.map(toPlainMap) },
  };
}

const columns = [
  { title: "A:B" },
  ...["R²", "from", "to", "shuffled", "untrained", "mean by dim", "beyond token", "cosine"].map((title) => ({
    title,
    align: "right" as const,
  })),
  { title: "fit" },
];

function toRow({ sources, target, fit, scores }: AffineMap): string[] {
  const { low, high } = scores.r2Interval;
  return [
    formatLayers({ sources: sources.map(({ site }) => site.layer), target: target.site.layer }),
    showScore(scores.r2),
    showScore(low),
    showScore(high),
    showScore(scores.nulls.shuffled.r2),
    scores.nulls.untrained ? showScore(scores.nulls.untrained.r2) : "",
    scores.explainedVariance === undefined ? "" : showScore(scores.explainedVariance),
    showScore(scores.tokenIdentity.beyond),
    showScore(scores.cosine.centred),
    describeMethod(fit),
  ];
}

/** What is the same of all maps; nothing where it differs, for then no one line is true. */
function shared(maps: readonly AffineMap[], describe: (map: AffineMap) => Shown["rows"]): Shown["rows"] {
  const all = maps.map((map) => describe(map));
  return all[0]!.filter(([name, value]) =>
    all.every((rows) => rows.some(([otherName, other]) => otherName === name && other === value)),
  );
}
