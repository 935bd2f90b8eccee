import type { OpenModel } from "../../engine/open-model.ts";
import { mismatch } from "../../errors.ts";
import { checkNotAborted } from "../../models/retry.ts";
import type { CellStore } from "../cell-store.ts";
import type { JudgeCost } from "../judges/judge.ts";
import { measureDamage } from "../text/damage.ts";
import { type DamageBaseline, readDamageBaseline } from "../text/damage-baseline.ts";
import { type PlanPassesOptions, planPasses, type RefusalPass } from "./plan-passes.ts";
import type { RefusalRow, RefusalSide } from "./refusal-result.ts";
import type { RefusalLayer } from "./refusal-vectors.ts";
import { measureResponses, type ResponseCell } from "./response-cell.ts";
import { promptClasses } from "./split-instructions.ts";
import { summariseChange, summariseResponses } from "./summarise-responses.ts";

export interface EvaluateRefusalOptions extends PlanPassesOptions {
  readonly role: RefusalSide["role"];
  /** The model whose directions were carried here. */
  readonly carriedFrom: string | null;
  readonly cells: CellStore;
  readonly resamples?: number;
  readonly signal?: AbortSignal;
  /** One step is one response. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number; readonly pass: string }) => void;
}

/** A steered model's rows, and every judgement they were made from. */
export interface MeasuredRefusal {
  readonly side: RefusalSide;
  /** In the rows' order. */
  readonly cells: readonly ResponseCell[];
}

/** What a run has still to do. */
export interface RefusalCost extends JudgeCost {
  /** Measurements, and those that are finished already. */
  readonly passes: number;
  readonly finished: number;
  /** Responses to be written. */
  readonly responses: number;
}

/**
 * Says what evaluating would cost at most: passes that are in the store cost nothing, every response is taken for as long as it may be, and
 * none for broken.
 */
export function estimateRefusal(
  layers: readonly RefusalLayer[],
  options: Pick<EvaluateRefusalOptions, "cells"> & PlanPassesOptions,
): RefusalCost {
  const { cells, samples, prompts, judges, sampling } = options;
  const passes = planPasses(layers, options);
  const open = passes.filter(({ key }) => !cells.has(key)).length;
  const all = promptClasses.flatMap((kind) => prompts[kind]);
  // Different words in each, so that no two are taken for one: four characters are about a token.
  const responses = all.flatMap((prompt) =>
    Array.from({ length: samples }, (_, k) => ({ prompt, response: `${k} `.padEnd(4 * sampling.maxTokens, "word ") })),
  );
  const costs = judges.map((judge) => judge.estimate(responses));
  return {
    passes: passes.length,
    finished: passes.length - open,
    responses: open * responses.length,
    calls: open * costs.reduce((sum, { calls }) => sum + calls, 0),
    tokens: open * costs.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

/**
 * Measures how a model's refusals change under its own refusal direction, one carried from another model, and random ones: responses to prompts of
 * both kinds at every layer and strength, judged, beside the damage on neutral text.
 *
 * Finished passes are kept in `cells`, without any response unless `keepTexts` is set; run again with the same store, only what is missing is
 * measured.
 *
 * @throws bad-input without layers, strengths, judges of refusal, or prompts; what engine and judges throw; aborted
 */
export async function evaluateRefusal(
  model: OpenModel,
  layers: readonly RefusalLayer[],
  options: EvaluateRefusalOptions,
): Promise<MeasuredRefusal> {
  const { cells, prompts, samples, judges, neutral, seed, resamples = 1000, signal, onProgress } = options;
  const judge = checkOptions(layers, options);
  const abort = signal === undefined ? {} : { signal };
  const passes = planPasses(layers, options);
  const perPass = promptClasses.reduce((sum, kind) => sum + prompts[kind].length * samples, 0);
  const responses: ResponseCell[] = [];
  const rows: RefusalRow[] = [];
  let baseline: DamageBaseline | undefined;
  for (const [i, pass] of passes.entries()) {
    checkNotAborted(signal);
    let told = -1;
    const tell = (done: number): void => {
      // A pass from the store is told once, one that was measured as its last response came in.
      if (done > told) onProgress?.({ done: i * perPass + done, total: passes.length * perPass, pass: nameOf(pass) });
      told = done;
    };
    const cell = await cells.measure(pass.key, () =>
      measureResponses(model, prompts, { ...options, steering: pass.steering, ...abort, onProgress: tell }),
    );
    const damage = await cells.measure(pass.damageKey, async () => {
      if (pass.steering.length === 0) return { klNats: 0, top1Agreement: 1 };
      baseline ??= await readDamageBaseline(model, neutral, abort);
      const { klNats, top1Agreement } = await measureDamage(model, neutral, {
        steering: pass.steering,
        baseline,
        ...abort,
      });
      return { klNats, top1Agreement };
    });
    responses.push(cell);
    const rates = { judges: judges.length, seed, resamples };
    const change = (kind: "harmful" | "harmless") =>
      summariseChange(responses[0]![kind], cell[kind], { judge, seed, resamples });
    rows.push({
      kind: pass.kind,
      name: pass.name,
      layer: pass.layer,
      ...(pass.seed === undefined ? {} : { seed: pass.seed }),
      strength: pass.strength,
      harmful: summariseResponses(cell.harmful, rates),
      harmless: summariseResponses(cell.harmless, rates),
      change: { harmful: change("harmful"), harmless: change("harmless") },
      damage,
    });
    tell(perPass);
  }
  return {
    side: {
      role: options.role,
      model: model.description.name,
      carriedFrom: options.carriedFrom,
      layers: layers.map(({ layer, heldOut, cosine }) => ({ layer, separation: heldOut?.auc ?? null, cosine })),
      rows,
    },
    cells: responses,
  };
}

/** Returns the number of the judge that changes are counted by. */
function checkOptions(layers: readonly RefusalLayer[], options: EvaluateRefusalOptions): number {
  const { strengths, prompts, samples, judges } = options;
  if (layers.length === 0) throw mismatch("bad-input", "layers", "at least one", "none");
  if (strengths.length === 0 || strengths.some((value) => value === 0) || new Set(strengths).size < strengths.length)
    throw mismatch("bad-input", "strengths", "different ones other than 0", strengths.join(", ") || "none");
  for (const kind of promptClasses)
    if (prompts[kind].length === 0) throw mismatch("bad-input", `${kind} prompts`, "at least one", "none");
  if (!Number.isInteger(samples) || samples < 1)
    throw mismatch("bad-input", "samples", "a whole number from 1", String(samples));
  const names = judges.map(({ name }) => name);
  if (new Set(names).size < names.length) throw mismatch("bad-input", "judges", "each once", names.join(", "));
  const judge = judges.findIndex(({ question }) => question === "refusal");
  if (judge < 0) throw mismatch("bad-input", "judges", "one that is asked about refusal", names.join(", ") || "none");
  return judge;
}

function nameOf({ name, layer, strength }: RefusalPass): string {
  return layer === null ? name : `${name}, layer ${layer}, ${strength}`;
}
