import { rowNorms } from "../../activations/row-norms.ts";
import { calibrationRows, type SinkLimits, toSinkLimits } from "../../activations/sink-limits.ts";
import type { TokenWindow } from "../../activations/windows.ts";
import type { OpenModel } from "../../engine/open-model.ts";
import { checkSite, formatSite, type Site } from "../../engine/site.ts";
import { mismatch, TrimtabError } from "../../errors.ts";

/** A window with its hidden states at a site. */
export interface SiteWindow {
  readonly window: TokenWindow;
  /** `[tokens, width]`, every position. */
  readonly states: Float32Array;
  /** Positions that give rows, ascending: not the first, no special tokens, no sinks. */
  readonly kept: Int32Array;
}

export interface SiteWindowsOptions {
  readonly site: Site;
  /** Bound for sinks that an earlier reading of the same windows found. */
  readonly limits?: SinkLimits | undefined;
  readonly onLimits?: ((limits: SinkLimits) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Streams the hidden states of one model at one site, unit by unit: each element holds the windows of one unit in order.
 *
 * Rows are chosen as `readRows` chooses them for two models: first positions, special tokens and rows longer than ten times the median of the
 * first 2048 are left out. A unit gives the same bits whatever else is read, on the same machine with as many threads.
 *
 * @throws bad-input for the site; engine for states that are not finite; aborted
 */
export async function* readSiteWindows(
  model: OpenModel,
  windows: AsyncIterable<TokenWindow>,
  { site, limits: known, onLimits, signal }: SiteWindowsOptions,
): AsyncGenerator<readonly SiteWindow[], void, void> {
  const { name, width, blocks } = model.description;
  checkSite(site, blocks, "layer");
  const special = await model.specialTokens();
  const enough = calibrationRows([width]);
  const planned: (readonly TokenWindow[])[] = [];
  async function* batches(): AsyncGenerator<readonly Int32Array[], void, void> {
    for await (const unit of groupUnits(windows)) {
      planned.push(unit);
      yield unit.map(({ tokens }) => tokens);
    }
  }
  let limits = known;
  const norms: number[] = [];
  let held: Decoded[][] = [];
  let unit: Decoded[] = [];
  const keep = (decoded: readonly Decoded[]): readonly SiteWindow[] =>
    decoded.map((each) => keepRows(each, special, (limits as SinkLimits)[0] as number));
  const settle = (): void => {
    limits = toSinkLimits([norms]);
    onLimits?.(limits);
  };
  for await (const { states, tokens } of model.readStates(batches(), { sites: [site], ...(signal && { signal }) })) {
    if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
    const current = planned[0] as readonly TokenWindow[];
    const window = current[unit.length] as TokenWindow;
    const rows = states[0] as Float32Array;
    const lengths = rowNorms(rows, width);
    const bad = lengths.findIndex((norm) => !Number.isFinite(norm));
    if (bad >= 0)
      throw mismatch(
        "engine",
        `${name} at ${formatSite(site)}`,
        "finite hidden states",
        `${lengths[bad]} at token ${bad} of window ${window.index} (${window.document.source})`,
        { hint: "the file may be damaged; try another layer or quantisation" },
      );
    unit.push({ window, states: rows, norms: lengths });
    if (!limits)
      for (let row = 1; row < tokens.length; row++)
        if (!special.has(tokens[row] as number)) norms.push(lengths[row] as number);
    if (unit.length < current.length) continue;
    planned.shift();
    held.push(unit);
    unit = [];
    if (!limits && norms.length >= enough) settle();
    if (!limits) continue;
    for (const ready of held.splice(0)) yield keep(ready);
  }
  if (held.length > 0) settle();
  for (const ready of held) yield keep(ready);
  held = [];
}

interface Decoded {
  readonly window: TokenWindow;
  readonly states: Float32Array;
  readonly norms: Float64Array;
}

function keepRows({ window, states, norms }: Decoded, special: ReadonlySet<number>, limit: number): SiteWindow {
  const kept: number[] = [];
  for (let row = 1; row < norms.length; row++)
    if (!special.has(window.tokens[row] as number) && (norms[row] as number) <= limit) kept.push(row);
  return { window, states, kept: Int32Array.from(kept) };
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
