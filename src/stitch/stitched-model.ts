import { availableParallelism } from "node:os";
import type { ModelDescription } from "../engine/description.ts";
import type { EngineModel } from "../engine/engine-model.ts";
import type { TailInput } from "../engine/native/tail-runner.ts";
import type { GeneratedPiece, GenerateOptions, Generation, ScoredItem } from "../engine/open-model.ts";
import type { TailModel } from "../engine/tail/tail-model.ts";
import { mismatch, TrimtabError } from "../errors.ts";
import type { AffineMap } from "../maps/affine-map.ts";
import { carryRows, joinRows } from "./carry-rows.ts";
import { checkStitch } from "./check-stitch.ts";

/** A map as a stitch needs it; every {@link AffineMap} is one. */
export type StitchMap = Pick<AffineMap, "A" | "p"> & {
  readonly sources: readonly StitchEnd[];
  readonly target: StitchEnd;
};

/** Where a map begins or ends, and on which model it was fitted, where that is known. */
export type StitchEnd = Pick<AffineMap["target"], "site"> & Partial<Pick<AffineMap["target"], "model">>;

/** Early blocks of one model, a map, late blocks of another: one model that writes and scores. */
export interface StitchedModel extends AsyncDisposable {
  readonly source: ModelDescription;
  readonly target: ModelDescription;
  /** Layers of the source that feed the map, ascending, and the layer of the target whose output it stands for. */
  readonly layers: { readonly sources: readonly number[]; readonly target: number };
  readonly tail: Pick<TailModel, "way" | "proof" | "notes" | "weightBytes">;
  /** Longest sequence, tokens. */
  readonly context: number;
  tokenize(text: string, options?: { addSpecial?: boolean; parseSpecial?: boolean }): Promise<Int32Array>;
  /** The rows that enter the late blocks for sequences of token ids, `[tokens, target width]` each. */
  carry(sequences: readonly Int32Array[]): Promise<TailInput[]>;
  /** Logits after each sequence's last token, or at given positions: for each sequence rows `[positions, vocabulary]`. */
  logits(
    sequences: readonly Int32Array[],
    options?: { readonly positions?: "last" | "all" | readonly (readonly number[])[] },
  ): Promise<Float32Array[]>;
  /** Log-probability of every token of every continuation, nats: `[item][continuation][token]`. */
  logProbabilities(items: readonly ScoredItem[]): Promise<Float64Array[][]>;
  /** Log-probability of every token but the first of windows, nats: `[tokens − 1]` each. Many windows share a batch. */
  scoreWindows(windows: readonly Int32Array[]): Promise<Float64Array[]>;
  /** Cross-entropy over the windows, nats per token, its exponential, and how many tokens were predicted. */
  perplexity(windows: readonly Int32Array[]): Promise<{ lossNats: number; perplexity: number; tokens: number }>;
  /** Streams a continuation of a prompt, piece by piece; the generator's return value is the whole. Sampling as of any model. */
  generate(prompt: Int32Array, options?: StitchedGenerateOptions): AsyncGenerator<GeneratedPiece, Generation, void>;
  /** Closes the late blocks; the source is its owner's. */
  close(): Promise<void>;
}

/** Sampling as of any model; nothing is steered or edited here. */
export type StitchedGenerateOptions = Omit<GenerateOptions, "steering" | "edits" | "steerPhase">;

export interface JoinOptions {
  /**
   * The target's own states at the map's layer after a lone first token, by token id: what the first position gets in place of a mapped
   * state. Default: that of BOS, which the tail has read.
   */
  readonly firstRows?: ReadonlyMap<number, Float32Array> | undefined;
  /**
   * Threads that the tail was opened with. While a text is written token by token the two then have half of the cores each: the threads of
   * the one that waits spin, and with all cores for both a text was seen to take five times as long.
   */
  readonly tailThreads?: number | undefined;
}

/**
 * Joins the early blocks of an open model and an open tail by a map.
 *
 * The first position is a sink: its state depends on its token alone and is unlike all others, and maps are not fitted on it. So it is the
 * large model's own, where that is known for the token; elsewhere it is mapped like any other.
 *
 * @throws incompatible for a map of other models, layers or widths than these, or two models of different tokenizers
 */
export function joinStitched(
  source: EngineModel,
  tail: TailModel,
  map: StitchMap,
  { firstRows, tailThreads }: JoinOptions = {},
): StitchedModel {
  checkStitch(source.description, tail, map);
  const { width } = tail.description;
  const sites = map.sources.map(({ site }) => site);
  const first = firstRows ?? new Map(tail.firstRow ? [[tail.firstRow.token, tail.firstRow.row] as const] : []);
  const context = Math.min(source.context, tail.context);
  const toInput = (tokens: Int32Array, states: readonly Float32Array[], isStart: boolean): TailInput => {
    const rows = carryRows(map, joinRows(states, tokens.length));
    const own = isStart ? first.get(tokens[0] as number) : undefined;
    if (own) rows.set(own.subarray(0, width));
    return { tokens, rows };
  };

  async function carry(sequences: readonly Int32Array[]): Promise<TailInput[]> {
    const inputs: TailInput[] = [];
    for await (const { tokens, states } of source.readStates(sequences, { sites }))
      inputs.push(toInput(tokens, states, true));
    return inputs;
  }

  async function scoreWindows(windows: readonly Int32Array[]): Promise<Float64Array[]> {
    const short = windows.findIndex(({ length }) => length < 2);
    if (short >= 0)
      throw mismatch("bad-input", `window ${short}`, "at least two tokens", String(windows[short]?.length));
    return tail.logProbabilities(await carry(windows));
  }

  return {
    source: source.description,
    target: tail.description,
    layers: { sources: sites.map(({ layer }) => layer), target: tail.layer },
    tail,
    context,
    tokenize: (text, options) => source.tokenize(text, options),
    carry,
    logits: async (sequences, options) => tail.logits(await carry(sequences), options),
    scoreWindows,
    async logProbabilities(items) {
      const joined = items.flatMap(({ prompt, continuations }) =>
        continuations.map((continuation) => Int32Array.of(...prompt, ...continuation)),
      );
      const scores = await scoreWindows(joined);
      let at = 0;
      return items.map(({ prompt, continuations }) =>
        continuations.map(({ length }) =>
          (scores[at++] as Float64Array).slice(prompt.length - 1, prompt.length - 1 + length),
        ),
      );
    },
    async perplexity(windows) {
      const scores = await scoreWindows(windows);
      const tokens = scores.reduce((sum, { length }) => sum + length, 0);
      if (tokens === 0) throw mismatch("bad-input", "windows", "at least one", "none");
      const lossNats = -scores.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0) / tokens;
      return { lossNats, perplexity: Math.exp(lossNats), tokens };
    },
    async *generate(prompt, { signal, ...sampling } = {}) {
      await using sequence = await source.startStates(sites);
      const text = await tail.startText(prompt, sampling);
      const before = source.threads;
      const half = Math.max(1, availableParallelism() >> 1);
      const isShared = tailThreads !== undefined && before + tailThreads > 2 * half;
      let tokens = prompt;
      try {
        for (;;) {
          if (signal?.aborted) throw new TrimtabError("aborted", "interrupted", { cause: signal.reason });
          const isStart = sequence.length === 0;
          const states = await sequence.append(tokens);
          const { pieces, next, generation } = await text.step(toInput(tokens, states, isStart));
          yield* pieces;
          if (generation) return generation;
          tokens = Int32Array.of(next);
          if (isStart && isShared) {
            await source.setThreads(Math.min(before, half));
            await tail.setThreads(Math.min(tailThreads, half));
          }
        }
      } finally {
        if (isShared) {
          await source.setThreads(before);
          await tail.setThreads(tailThreads);
        }
        await text.stop();
      }
    },
    close: () => tail.close(),
    [Symbol.asyncDispose]: () => tail.close(),
  };
}
