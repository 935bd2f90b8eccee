import type { Corpus } from "../../activations/corpus.ts";
import { resolveContext, toWindows } from "../../activations/windows.ts";
import type { LayerAddition, OpenModel } from "../../engine/open-model.ts";
import type { Site } from "../../engine/site.ts";
import { mismatch } from "../../errors.ts";

export interface CorpusMeanOptions {
  readonly corpus: Corpus;
  readonly sites: readonly Site[];
  readonly steering?: readonly LayerAddition[] | undefined;
  /** Rows that are read at most, windows whole. */
  readonly maxRows: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Computes the mean hidden state of a text at sites, `[Σ widths]`, over every position but the first of each window. The mean after a change less
 * the mean before is the mean change: rows need not be kept side by side.
 *
 * @throws bad-input for a corpus without rows; what the engine throws
 */
export async function corpusMean(
  model: OpenModel,
  { corpus, sites, steering = [], maxRows, signal }: CorpusMeanOptions,
): Promise<Float64Array> {
  const { width } = model.description;
  const sum = new Float64Array(width * sites.length);
  let rows = 0;
  async function* windows(): AsyncGenerator<Int32Array[]> {
    let given = 0;
    const context = resolveContext(undefined, [model]);
    for await (const { tokens } of toWindows(model, corpus.documents({ signal }), { context })) {
      // An array of its own: its bits do not depend on what stands beside it, and before and after the change differ by the change alone.
      yield [tokens];
      given += tokens.length - 1;
      if (given >= maxRows) return;
    }
  }
  for await (const { tokens, states } of model.readStates(windows(), { sites, steering, ...(signal && { signal }) })) {
    for (let position = 1; position < tokens.length; position++, rows++)
      for (const [site, values] of states.entries())
        for (let i = 0; i < width; i++) sum[site * width + i]! += values[position * width + i]!;
  }
  if (rows === 0) throw mismatch("bad-input", corpus.name, "text of at least two tokens", "none");
  return sum.map((value) => value / rows);
}
