import { seededRandom } from "../../src/linalg/random.ts";

/** Rows that are sums of a few known directions. */
export interface PlantedCodes {
  /** `[rows, width]`. */
  readonly X: Float32Array;
  readonly width: number;
  /** `[features, width]`, rows of length 1. */
  readonly directions: Float32Array;
}

/** Each row: `active` directions, drawn anew, with coefficients between 1 and 2, about a mean that is not 0. */
export function plantedCodes(of: {
  readonly rows: number;
  readonly width: number;
  readonly features: number;
  readonly active: number;
  readonly seed: number;
}): PlantedCodes {
  const { rows, width, features, active, seed } = of;
  const random = seededRandom(seed);
  const directions = new Float32Array(features * width);
  for (let j = 0; j < features; j++) {
    const row = Array.from({ length: width }, () => random.normal());
    const norm = Math.hypot(...row);
    directions.set(
      row.map((value) => value / norm),
      j * width,
    );
  }
  const mean = Array.from({ length: width }, () => 0.3 * random.normal());
  const X = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    X.set(mean, i * width);
    const drawn = new Set<number>();
    while (drawn.size < active) drawn.add(random.integer(features));
    for (const j of drawn) {
      const coefficient = 1 + random.uniform();
      for (let t = 0; t < width; t++)
        X[i * width + t] = (X[i * width + t] as number) + coefficient * (directions[j * width + t] as number);
    }
  }
  return { X, width, directions };
}
