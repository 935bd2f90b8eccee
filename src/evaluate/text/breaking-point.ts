/** From where on a steered model counts as broken. */
export interface BreakRule {
  /** Loss of the unsteered model on the texts, as a multiple of its loss on its own. */
  readonly lossFactor: number;
  /** Share of 4-grams that repeat within a text. */
  readonly repetition: number;
}

/**
 * Conventions. A loss twice that of the model's own samples: each token as unlikely as two of its own. Half of the 4-grams repeated: the
 * text says everything twice.
 */
export const defaultBreakRule: BreakRule = { lossFactor: 2, repetition: 0.5 };

/** A strength and the state of the texts written at it. */
export interface TextState {
  readonly strength: number;
  /** Nats per token; `null` if nothing was written, which is broken too. */
  readonly lossNats: number | null;
  readonly repetition: number | null;
}

/** Where an arm breaks on one side. */
export interface BreakingPoint {
  /** First strength outward from 0 that breaks the rule; `null` if none of those measured does. */
  readonly strength: number | null;
  readonly reason: "loss" | "repetition" | "silence" | null;
  /** Largest strength before it; 0 if the first one breaks. */
  readonly lastGood: number;
}

/** Finds the first strength, outward from 0, at which the texts are broken. The truth lies between `lastGood` and it. */
export function findBreakingPoint(
  states: readonly TextState[],
  unsteeredLoss: number,
  { lossFactor, repetition }: BreakRule = defaultBreakRule,
): BreakingPoint {
  let lastGood = 0;
  for (const state of [...states].sort((a, b) => Math.abs(a.strength) - Math.abs(b.strength))) {
    const reason =
      state.lossNats === null
        ? "silence"
        : state.lossNats > lossFactor * unsteeredLoss
          ? "loss"
          : (state.repetition ?? 0) > repetition
            ? "repetition"
            : null;
    if (reason !== null) return { strength: state.strength, reason, lastGood };
    lastGood = state.strength;
  }
  return { strength: null, reason: null, lastGood };
}
