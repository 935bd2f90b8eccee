import type { LatentModelOptions, LatentWorldOptions } from "../../maps/latent-world.ts";

/** Where one knob of the latent world stands. */
export interface WorldSetting {
  readonly world: Omit<LatentWorldOptions, "seed">;
  /** Rows that fit the map. */
  readonly rows: number;
}

/** One way in which the hypothesis can hold less and less. */
export interface WorldKnob {
  /** Word for files: `width`. */
  readonly name: string;
  /** Title of its panel. */
  readonly title: string;
  /** What its values are, with their unit. */
  readonly axis: string;
  /** What is turned and what stays, a sentence. */
  readonly says: string;
  readonly values: readonly number[];
  readonly at: (value: number) => WorldSetting;
}

/** The world that each knob starts from: the source is wide enough, nothing is noisy, and an exact map exists. */
const base = {
  features: 256,
  universalWidth: 48,
  active: 12,
  exponent: 0.7,
  source: { width: 64 } satisfies LatentModelOptions,
  target: { width: 80 } satisfies LatentModelOptions,
  rows: 2048,
} as const;

interface Changes extends Partial<Omit<LatentWorldOptions, "models" | "seed">> {
  readonly source?: Partial<LatentModelOptions>;
  readonly target?: Partial<LatentModelOptions>;
  readonly rows?: number;
}

function setting({ source = {}, target = {}, rows = base.rows, ...world }: Changes): WorldSetting {
  const { features, universalWidth, active, exponent } = base;
  return {
    world: {
      features,
      universalWidth,
      active,
      exponent,
      ...world,
      models: [
        { ...base.source, ...source },
        { ...base.target, ...target },
      ],
    },
    rows,
  };
}

/** The knobs of the lesson, in its order. */
export const worldKnobs: readonly WorldKnob[] = [
  {
    name: "width",
    title: "Source too narrow",
    axis: "source width (universal: 48)",
    says: "The universal features live in 48 dimensions; the source reads fewer and fewer of them.",
    values: [96, 64, 48, 40, 32, 16, 8],
    at: (width) => setting({ source: { width } }),
  },
  {
    name: "noise",
    title: "Noise",
    axis: "noise, deviations of the states",
    says: "Both models add noise of their own, a multiple of what their states vary by.",
    values: [0, 0.125, 0.25, 0.5, 1, 2],
    at: (noise) => setting({ source: { noise }, target: { noise } }),
  },
  {
    name: "missing",
    title: "Features missing",
    axis: "share of features the source lacks",
    says: "The source lacks some of the universal features; the target has all.",
    values: [0, 0.1, 0.25, 0.5, 0.75, 0.9],
    at: (missing) => setting({ source: { missing } }),
  },
  {
    name: "bend",
    title: "Bent states",
    axis: "share of variance that is bent",
    says: "The target's dimensions are squared in part: the same information, but no longer linear in the features.",
    values: [0, 0.1, 0.25, 0.5, 0.75, 1],
    at: (bend) => setting({ target: { bend } }),
  },
  {
    name: "rows",
    title: "Too few rows",
    axis: "rows a source dimension (noise 0.5)",
    says: "The map is fitted on fewer and fewer rows; both models have noise of half their deviations.",
    values: [64, 32, 16, 8, 4, 2, 1],
    at: (each) => setting({ rows: each * base.source.width, source: { noise: 0.5 }, target: { noise: 0.5 } }),
  },
  {
    name: "active",
    title: "More features at once",
    axis: "active features (source width 32)",
    says: "More and more features are active in a row; the source is narrower than the universal space.",
    values: [1, 2, 4, 8, 16, 32, 64],
    at: (active) => setting({ active, source: { width: 32 } }),
  },
  {
    name: "loud",
    title: "Loud dimensions",
    axis: "factor on 2 of 80 target dimensions",
    says: "Two dimensions of the target are made louder; the exact map still exists.",
    values: [1, 3, 10, 30, 100],
    at: (factor) => setting({ target: { loud: { dimensions: 2, factor } } }),
  },
  {
    name: "sinks",
    title: "Sinks",
    axis: "length of 2 % of rows (noise 1)",
    says: "Two rows in a hundred are one long constant vector in each model; noise is as large as the deviations.",
    values: [1, 3, 10, 30, 100],
    at: (factor) => setting({ source: { noise: 1 }, target: { noise: 1 }, sinks: { share: 0.02, factor } }),
  },
];
