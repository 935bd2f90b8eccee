import { formatSite, type Sae } from "../index.ts";
import type { Shown } from "./inspect.ts";

const layouts = {
  "gemma-scope": "Gemma Scope",
  "gemma-scope-2": "Gemma Scope 2",
  saelens: "SAELens",
  "llama-scope": "Llama Scope",
  trimtab: "trimtab, as SAELens writes it",
} as const;

/** Shows an autoencoder: how it decides, how large it is, what it codes, and what its files say of its training. */
export function describeSae(sae: Sae): Shown {
  const { width, features, activation, k, origin, inputScale, subtractsDecoderBias } = sae;
  const { format, model, modelSha256, site, facts } = origin;
  const norms = quantilesOf(decoderNorms(sae));
  const thresholds = sae.threshold && quantilesOf(sae.threshold);
  const hook = typeof facts["hook"] === "string" ? facts["hook"] : undefined;
  const rows: (readonly [string, string | undefined])[] = [
    ["autoencoder", `${activation}${describeK(activation, k)}, ${features} features of width ${width}`],
    ["layout", layouts[format]],
    [
      "site",
      site
        ? formatSite(site)
        : hook === undefined
          ? "the files do not say"
          : `not the output of a block: ${hook.slice(0, 80)}`,
    ],
    ["trained on", model ?? "the files do not say"],
    ["sha256", modelSha256],
    ["threshold", thresholds && describeQuantiles(thresholds)],
    ["decoder rows", `length ${describeQuantiles(norms)}`],
    ["input", describeInput(inputScale, subtractsDecoderBias)],
    ...factRows(facts),
  ];
  return {
    rows: rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    json: {
      kind: "sae",
      layout: format,
      activation,
      width,
      features,
      k: k ?? null,
      site: site ? formatSite(site) : null,
      model: model ?? null,
      modelSha256: modelSha256 ?? null,
      inputScale,
      subtractsDecoderBias,
      decoderNorm: norms,
      threshold: thresholds ?? null,
      facts,
    },
  };
}

function describeK(activation: Sae["activation"], k: number | undefined): string {
  if (k === undefined) return "";
  return activation === "topk" ? `, ${k} active in a row` : `, ${k} active in a row on average`;
}

function describeInput(scale: number, subtracts: boolean): string | undefined {
  const parts = [
    ...(scale === 1 ? [] : [`hidden states times ${scale.toPrecision(4)}`]),
    ...(subtracts ? ["less the decoder's bias"] : []),
  ];
  return parts.length === 0 ? "hidden states as they are" : parts.join(", ");
}

/** What the files say in words or numbers of their own; nested records are left to --json. */
function factRows(facts: Readonly<Record<string, unknown>>): (readonly [string, string | undefined])[] {
  const plain = (name: string): string | undefined => {
    const inner = facts["metadata"];
    const from = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : {};
    const value = facts[name] ?? from[name];
    return typeof value === "string" || typeof value === "number" ? String(value).slice(0, 200) : undefined;
  };
  return [
    ["active in a row", plain("average_l0") ?? plain("l0")],
    ["text", plain("dataset_path")],
    ["context", plain("context_size")],
    ["assumed", plain("assumes")],
  ];
}

interface Quantiles {
  readonly p5: number;
  readonly median: number;
  readonly p95: number;
}

function quantilesOf(values: Float32Array): Quantiles {
  const sorted = values.slice().sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
  return { p5: at(0.05), median: at(0.5), p95: at(0.95) };
}

function describeQuantiles({ p5, median, p95 }: Quantiles): string {
  return `median ${median.toPrecision(3)}, 5 to 95 % ${p5.toPrecision(3)} to ${p95.toPrecision(3)}`;
}

function decoderNorms({ decoder, features, width }: Sae): Float32Array {
  return Float32Array.from({ length: features }, (_, j) => {
    let sum = 0;
    for (let i = j * width; i < (j + 1) * width; i++) sum += (decoder[i] as number) ** 2;
    return Math.sqrt(sum);
  });
}
