import type { LayerAddition, OpenModel } from "../../engine/open-model.ts";
import { type CellStore, hashCell } from "../cell-store.ts";
import type { TokenizedItem } from "../items.ts";
import { measurePropensity } from "../propensity.ts";
import type { Scorer } from "../text/scorer.ts";
import { openSpeakerCells, type TextSampling } from "../text/speaker.ts";

/** A behaviour on one side of a split: how much of it a steered model shows, unit by unit. */
export interface BehaviourSide {
  /** Items or prompts. */
  readonly units: number;
  /** One value a unit; `null` where there is none. */
  readonly measure: (steering: readonly LayerAddition[]) => Promise<readonly (number | null)[]>;
}

export interface BehaviourOptions {
  readonly cells: CellStore;
  /** Of the model's file. */
  readonly sha256: string;
  readonly signal?: AbortSignal;
}

/** Propensity, nats, of each item. */
export function itemBehaviour(
  model: Pick<OpenModel, "logProbabilities">,
  items: readonly TokenizedItem[],
  { cells, sha256, signal }: BehaviourOptions,
): BehaviourSide {
  const parts = items.map(({ prompt, continuations: [positive, negative] }) => ({ prompt, positive, negative }));
  return {
    units: items.length,
    measure: (steering) => {
      const added = steering.map(({ layer, vector }) => ({ layer, vector }));
      return cells.measure(hashCell({ what: "propensity", model: sha256, items: parts, steering: added }), async () =>
        (await measurePropensity(model, items, { steering, ...(signal === undefined ? {} : { signal }) })).map(
          ({ propensity }) => propensity,
        ),
      );
    },
  };
}

/** Mean score of each prompt's continuations, all drawn with the same seeds under every steering. */
export function textBehaviour(
  model: Parameters<typeof openSpeakerCells>[0],
  prompts: readonly { readonly text: string; readonly tokens: Int32Array }[],
  { scorer, sampling, ...options }: BehaviourOptions & { readonly scorer: Scorer; readonly sampling: TextSampling },
): BehaviourSide {
  const speak = openSpeakerCells(model, { ...options, prompts: prompts.map(({ tokens }) => tokens) });
  return {
    units: prompts.length,
    measure: async (steering) => {
      const texts = await speak.write({ name: "", strength: 0, steering }, sampling);
      const samples = texts.map(({ prompt, text }) => ({ prompt: prompts[prompt]!.text, response: text }));
      const values = await scorer.score(samples, options.signal === undefined ? {} : { signal: options.signal });
      return prompts.map((_, unit) => {
        const own = values.filter((value, k): value is number => texts[k]!.prompt === unit && value !== null);
        return own.length === 0 ? null : own.reduce((sum, value) => sum + value, 0) / own.length;
      });
    },
  };
}
