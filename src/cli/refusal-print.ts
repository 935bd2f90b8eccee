import {
  type Column,
  formatNumber,
  formatPercent,
  formatSigned,
  formatStrength,
  type PromptMean,
  type RefusalResult,
  type RefusalRow,
  type RefusalSide,
  type Row,
  renderTable,
  shownLayer,
  strongestRows,
} from "../index.ts";

const share = ({ value, standardError }: PromptMean): string =>
  value === null ? "–" : `${formatPercent(value)}${standardError === null ? "" : ` ± ${formatPercent(standardError)}`}`;

/** Writes a result for a terminal: for each model the layers, if there are several, then the strengths at the one shown. */
export function renderRefusal(result: RefusalResult): string {
  return `${[...result.sides.flatMap((side) => renderSide(result, side)), ...renderAgreement(result)].join("\n\n")}\n`;
}

function renderSide(result: RefusalResult, side: RefusalSide): string[] {
  const layer = shownLayer(side);
  const from = side.carriedFrom === null ? "" : `, direction carried from ${side.carriedFrom}`;
  const title = `${side.model}${from}`;
  if (side.layers.length === 1) return [`${title}, layer ${layer}`, renderStrengths(result, side, layer)];
  return [
    title,
    renderLayers(result, side),
    `layer ${layer}, where its own direction changes most`,
    renderStrengths(result, side, layer),
  ];
}

function renderLayers({ unit }: RefusalResult, side: RefusalSide): string {
  const columns: Column[] = [
    { title: "layer", align: "right" },
    { title: "direction" },
    { title: "separates", align: "right" },
    { title: "harmful refused, most changed", align: "right" },
    { title: "harmless refused, most changed", align: "right" },
  ];
  const change = (row: RefusalRow | null, kind: "harmful" | "harmless"): string => {
    const value = row?.change[kind].value;
    return row && value != null
      ? `${formatSigned(100 * value, 0)} points at ${formatStrength({ value: row.strength, unit })}`
      : "–";
  };
  const rows = strongestRows(side).map(({ layer, kind, suppression, induction }): Row => {
    const separation = side.layers.find((each) => each.layer === layer)?.separation ?? null;
    return [
      String(layer),
      kind,
      kind === "native" && separation !== null ? formatNumber(separation, 2) : "",
      change(suppression, "harmful"),
      change(induction, "harmless"),
    ];
  });
  return renderTable(columns, rows);
}

function renderStrengths({ judges, unit }: RefusalResult, side: RefusalSide, layer: number): string {
  const refusal = judges.findIndex(({ question }) => question === "refusal");
  const harmlessness = judges.findIndex(({ question }) => question === "harmlessness");
  const hasOdds = judges.some(({ kind }) => kind === "log-odds");
  const columns: Column[] = [
    { title: "direction" },
    { title: "strength", align: "right" },
    { title: "harmful refused", align: "right" },
    { title: "harmless refused", align: "right" },
    ...(harmlessness < 0 ? [] : [{ title: "harmful answered harmlessly", align: "right" as const }]),
    ...(hasOdds ? [{ title: "log-odds, harmful", align: "right" as const }] : []),
    { title: "broken", align: "right" },
    { title: "KL nats", align: "right" },
  ];
  const rows = side.rows
    .filter((row) => row.layer === null || row.layer === layer)
    .map(
      ({ name, strength, harmful, harmless, damage }): Row => [
        name,
        strength === 0 ? "0" : formatStrength({ value: strength, unit }),
        share(harmful.judges[refusal]!.yes),
        share(harmless.judges[refusal]!.yes),
        ...(harmlessness < 0 ? [] : [share(harmful.judges[harmlessness]!.yes)]),
        ...(hasOdds ? [formatSigned(harmful.odds?.value, 2)] : []),
        formatPercent(((harmful.broken.value ?? 0) + (harmless.broken.value ?? 0)) / 2),
        formatNumber(damage.klNats, 3),
      ],
    );
  return `${renderTable(columns, rows)}\nmean ± standard error over prompts, by ${judges[refusal]!.name}`;
}

function renderAgreement({ agreement }: RefusalResult): string[] {
  return agreement.map(({ judges: [a, b], kappa, interval, samples, agreement: equal }) => {
    const range = interval ? ` (${formatNumber(interval.low, 2)} to ${formatNumber(interval.high, 2)})` : "";
    const value = kappa === null ? "not defined: both always say the same" : `${formatNumber(kappa, 2)}${range}`;
    return `${a} and ${b}: Cohen's κ ${value}, ${equal === null ? "no" : formatPercent(equal)} equal answers of ${samples}`;
  });
}
