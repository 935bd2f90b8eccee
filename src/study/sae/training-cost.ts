/** Sizes that decide what a step of training costs. */
export interface StepSize {
  readonly batch: number;
  readonly features: number;
  readonly width: number;
  /** Active features of a row. */
  readonly k: number;
}

/** Multiplications and additions of Adam for one parameter, about. */
const adamFlops = 10;

/**
 * Floating-point operations of one step: the encoder's products `2 B n d`; decoding, the codes' gradient, the encoder's and the decoder's,
 * each `2 B k d` since only active features take part; Adam's on `2 n d` parameters.
 *
 * Normalising, sorting and what dead features add are left out: they are the same on both sides of a comparison.
 */
export function stepFlops({ batch, features, width, k }: StepSize): number {
  return 2 * batch * features * width + 8 * batch * k * width + adamFlops * 2 * features * width;
}

/**
 * Floating-point operations of maps both ways from n paired rows: their moments, each symmetric product by half, `n (d₁ + d₂)²`; one
 * eigendecomposition a side, about `9 d³`, and the maps themselves.
 */
export function mapFlops(rows: number, source: number, target: number): number {
  return rows * (source + target) ** 2 + 9 * (source ** 3 + target ** 3) + 4 * source * target * (source + target);
}

/** Floating-point operations of reading tokens with a model: two for each parameter and token. */
export function readFlops(parameters: number, tokens: number): number {
  return 2 * parameters * tokens;
}

/** A point of a curve of training: what is explained of held-out rows after so many steps. */
export interface CurvePoint {
  readonly step: number;
  readonly explained: number;
}

/**
 * Steps after which a curve first reaches a level, in a straight line between its points; undefined if it never does.
 *
 * @param curve - ascending in steps
 */
export function stepsToReach(curve: readonly CurvePoint[], level: number): number | undefined {
  for (const [i, { step, explained }] of curve.entries()) {
    if (explained < level) continue;
    const before = curve[i - 1];
    if (!before) return step;
    return before.step + ((step - before.step) * (level - before.explained)) / (explained - before.explained);
  }
  return undefined;
}

/** About so many steps of a training of this length, further apart as it goes on; 0 and the last are among them. */
export function snapshotSteps(steps: number, count = 14): number[] {
  const found = new Set([0, steps]);
  for (let i = 0; i < count; i++) found.add(Math.round(steps ** ((i + 1) / count)));
  return [...found].sort((a, b) => a - b);
}
