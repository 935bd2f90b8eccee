import { mismatch } from "../../errors.ts";
import { checkLogits } from "../check-logits.ts";
import type { GeneratedPiece, Generation } from "../open-model.ts";
import { residPost } from "../site.ts";
import type { NativeContext, Row } from "./context.ts";
import type { Intervention, NativeModel } from "./native-model.ts";
import { RunningText, type Sampling } from "./running-text.ts";

/** A sequence as a tail takes it: the states that enter it, `[tokens, width]`, and the tokens that they stand for. */
export interface TailInput {
  readonly tokens: Int32Array;
  readonly rows: Float32Array;
}

/** How the blocks after a layer are run. */
export interface TailPlan {
  /** Block of the whole model that is the first of those open: 0 where the whole is. */
  readonly firstBlock: number;
  /**
   * Block of those open whose output rows are replaced by the states that are given; undefined where these enter the first block themselves.
   * What is computed up to there is thrown away.
   */
  readonly replaceAt: number | undefined;
  /** What rows are multiplied with on their way into a tail: architectures that scale embeddings scale whatever enters. */
  readonly scale: number;
}

/** What a step of a generation told. */
export interface TailStep {
  readonly pieces: readonly GeneratedPiece[];
  /** The token to feed next; −1 when the text has ended. */
  readonly next: number;
  readonly generation: Generation | undefined;
}

interface Writing {
  readonly text: RunningText;
  readonly pieces: GeneratedPiece[];
  readonly slot: number;
  length: number;
}

/** Runs the blocks after a layer on given states, in the worker of an open tail. Whoever calls it has checked sizes and ranges. */
export class TailRunner {
  private readonly model: NativeModel;
  private readonly plan: TailPlan;
  private readonly writing = new Map<number, Writing>();
  private context: NativeContext | undefined;
  private next = 1;

  constructor(model: NativeModel, plan: TailPlan) {
    this.model = model;
    this.plan = plan;
  }

  /** Rows of logits at positions, `[positions, vocabulary]` for each sequence. */
  logits(inputs: readonly TailInput[], positions: readonly (readonly number[])[]): Float32Array[] {
    const size = this.model.vocabulary.size;
    const result = positions.map((list) => new Float32Array(list.length * size));
    this.visit(inputs, positions, (index, position, logits) => {
      positions[index]!.forEach((wanted, place) => {
        if (wanted === position) result[index]!.set(logits, place * size);
      });
    });
    return result;
  }

  /** Log-probability, nats, of every token but the first after the states before it: `[tokens − 1]` for each sequence. */
  scores(inputs: readonly TailInput[]): Float64Array[] {
    const result = inputs.map(({ tokens }) => new Float64Array(tokens.length - 1));
    const positions = result.map((scores) => Array.from(scores, (_, position) => position));
    this.visit(inputs, positions, (index, position, logits) => {
      result[index]![position] = logits[inputs[index]!.tokens[position + 1]!]! - checkLogits(logits);
    });
    return result;
  }

  /** Hidden states after blocks of the whole model, beyond the cut: for each sequence and layer `[tokens, width]`. */
  states(inputs: readonly TailInput[], layers: readonly number[]): Float32Array[][] {
    const { width, blocks } = this.model.info;
    const read = layers.map((layer) => layer - this.plan.firstBlock);
    const context = this.model.contextFor(true);
    const result: Float32Array[][] = [];
    const all = read.includes(blocks - 1);
    for (const group of this.model.groups(inputs.map(({ tokens }) => tokens.length))) {
      const { rows, edits } = this.toRows(inputs, group, () => all);
      const found = context.decode({ rows, steering: [], edits, read, stopEarly: true, stateScale: this.plan.scale });
      context.clear();
      let start = 0;
      for (const index of group) {
        const end = start + inputs[index]!.tokens.length * width;
        result[index] = read.map((layer) => found.get(layer)!.slice(start, end));
        start = end;
      }
    }
    return result;
  }

  /** Begins a text; its prompt comes with the first step. */
  start(prompt: Int32Array, sampling: Sampling): number {
    this.context ??= this.model.newContext({ tapped: this.plan.replaceAt !== undefined });
    const taken = new Set([...this.writing.values()].map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    if (slot >= this.model.limits.sequences)
      throw mismatch("bad-input", "stitched model", `at most ${slot} texts at once`, "one more");
    const pieces: GeneratedPiece[] = [];
    const text = new RunningText(this.model, {
      prompt,
      sampling,
      seed: sampling.seed,
      onPiece: (piece) => pieces.push(piece),
    });
    this.writing.set(this.next, { text, pieces, slot, length: 0 });
    return this.next++;
  }

  /** Feeds states and samples after the last one. */
  step(id: number, { tokens, rows: states }: TailInput): TailStep {
    const writing = this.writing.get(id);
    if (!writing || !this.context)
      throw mismatch("usage", "stitched text", "one that is being written", "an ended one");
    const { text, pieces, slot, length } = writing;
    const last = length + tokens.length - 1;
    const { rows, edits } = this.rowsOf({ tokens, rows: states }, slot, (position) => position === last, length);
    this.context.decode({ rows, steering: [], edits, stateScale: this.plan.scale });
    writing.length += tokens.length;
    const stopReason = text.advance(this.context, rows.length - 1);
    if (!stopReason) return { pieces: pieces.splice(0), next: text.next, generation: undefined };
    const generation = text.end(stopReason);
    this.forget(id, slot);
    return { pieces: pieces.splice(0), next: -1, generation };
  }

  /** Ends a text that was broken off. */
  stop(id: number): Generation | undefined {
    const writing = this.writing.get(id);
    if (!writing) return undefined;
    const generation = writing.text.end("aborted");
    this.forget(id, writing.slot);
    return generation;
  }

  private forget(id: number, slot: number): void {
    this.writing.delete(id);
    this.context?.forget(slot);
  }

  /** Frees the samplers of texts that were never ended. */
  free(): void {
    for (const { text } of this.writing.values()) text.free();
    this.writing.clear();
  }

  private visit(
    inputs: readonly TailInput[],
    positions: readonly (readonly number[])[],
    hear: (index: number, position: number, logits: Float32Array) => void,
  ): void {
    const { model, plan } = this;
    const context = model.contextFor(plan.replaceAt !== undefined);
    const wanted = positions.map((list) => new Set(list));
    const lengths = inputs.map(({ tokens }) => tokens.length);
    for (const group of model.groups(
      lengths,
      positions.map((list) => list.length),
    )) {
      const { rows, edits } = this.toRows(inputs, group, (slot, position) => wanted[group[slot]!]!.has(position));
      context.decodeOutputs({ rows, steering: [], edits, stateScale: plan.scale }, (index, at) => {
        const { sequences, position } = rows[index]!;
        hear(group[sequences[0]!]!, position, model.viewLogits(context, at));
      });
      context.clear();
    }
  }

  private toRows(
    inputs: readonly TailInput[],
    group: readonly number[],
    isOutput: (slot: number, position: number) => boolean,
  ): { rows: Row[]; edits: Intervention["edits"] } {
    const parts = group.map((index, slot) => this.rowsOf(inputs[index]!, slot, (position) => isOutput(slot, position)));
    return { rows: parts.flatMap(({ rows }) => rows), edits: parts.flatMap(({ edits }) => edits) };
  }

  private rowsOf(
    { tokens, rows: states }: TailInput,
    slot: number,
    isOutput: (position: number) => boolean,
    from = 0,
  ): { rows: Row[]; edits: Intervention["edits"] } {
    const { width } = this.model.info;
    const { replaceAt } = this.plan;
    const rows = Array.from(
      tokens,
      (token, at): Row => ({
        token,
        position: from + at,
        sequences: [slot],
        output: isOutput(from + at),
        ...(replaceAt === undefined && { state: states.subarray(at * width, (at + 1) * width) }),
      }),
    );
    if (replaceAt === undefined) return { rows, edits: [] };
    const range = { start: from, end: from + tokens.length };
    return {
      rows,
      edits: [{ kind: "replace-rows", site: residPost(replaceAt), vector: states, range, sequence: slot }],
    };
  }
}
