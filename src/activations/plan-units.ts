import type { RowSelector, RowWeights } from "./select-rows.ts";
import type { TokenWindow } from "./windows.ts";

/** What is to be done with one window. */
export interface PlannedWindow extends RowWeights {
  readonly window: TokenWindow;
  /** Whether the models read it. */
  readonly isDecoded: boolean;
  /** Whether the caller asked for its unit. */
  readonly isGiven: boolean;
}

export interface PlanOptions {
  readonly selector: RowSelector;
  /** Which units the caller asks for. */
  readonly units: (unit: number) => boolean;
  /** Rows of text at the beginning that set the bounds for sinks. */
  readonly calibrationRows: number;
  /** Whether those bounds are known already. */
  readonly hasLimits: boolean;
}

/**
 * Decides from the tokens alone which windows the models read, unit by unit; units of which nothing is to be read or given are passed
 * over.
 *
 * Windows without a row to take are not decoded, except in the first units, which set the bounds. Which units those are follows from
 * the text, never from what is asked for or known: a unit is decoded as the same batch in whichever run it is read, to the same bits.
 */
export async function* planUnits(
  windows: AsyncIterable<TokenWindow>,
  { selector, units, calibrationRows, hasLimits }: PlanOptions,
): AsyncGenerator<readonly PlannedWindow[], void, void> {
  let rows = 0;
  for await (const unit of groupUnits(windows)) {
    const isFirst = rows < calibrationRows;
    const isGiven = units((unit[0] as TokenWindow).unit);
    if (!isFirst && !isGiven) continue;
    const weighed = await Promise.all(unit.map((window) => selector.weigh(window)));
    if (isFirst) for (const { isText } of weighed) for (const each of isText) if (each) rows++;
    const planned = unit.map((window, at): PlannedWindow => {
      const { weights, isText } = weighed[at] as RowWeights;
      const isDecoded = isFirst ? isGiven || !hasLimits : weights.some((weight) => weight > 0);
      return { window, weights, isText, isDecoded, isGiven };
    });
    if (isGiven || !hasLimits) yield planned;
  }
}

async function* groupUnits(windows: AsyncIterable<TokenWindow>): AsyncGenerator<readonly TokenWindow[], void, void> {
  let unit: TokenWindow[] = [];
  for await (const window of windows) {
    if (unit.length > 0 && unit[0]?.unit !== window.unit) {
      yield unit;
      unit = [];
    }
    unit.push(window);
  }
  if (unit.length > 0) yield unit;
}
