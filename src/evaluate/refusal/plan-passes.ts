import type { LayerAddition } from "../../engine/open-model.ts";
import type { StrengthUnit } from "../../steer/strength.ts";
import { type Arm, randomArms, vectorArm } from "../arms.ts";
import { type CellPart, hashCell } from "../cell-store.ts";
import type { InstructionFrame } from "./instruction-frame.ts";
import type { RefusalRow } from "./refusal-result.ts";
import type { RefusalLayer } from "./refusal-vectors.ts";
import type { RefusalJudge, ResponseSampling } from "./response-cell.ts";
import type { InstructionSplit } from "./split-instructions.ts";

/** One measurement: all test prompts under one steering. */
export interface RefusalPass extends Pick<RefusalRow, "kind" | "name" | "layer" | "strength"> {
  readonly seed?: number;
  readonly steering: readonly LayerAddition[];
  /** Of its responses. */
  readonly key: string;
  /** Of its damage. */
  readonly damageKey: string;
}

export interface PlanPassesOptions {
  /** Without 0, which is always measured. */
  readonly strengths: readonly number[];
  readonly unit: StrengthUnit;
  /** Random directions at each layer. */
  readonly random: number;
  readonly samples: number;
  readonly sampling: ResponseSampling;
  readonly seed: number;
  readonly judges: readonly RefusalJudge[];
  readonly keepTexts: boolean;
  readonly frame: InstructionFrame;
  readonly prompts: InstructionSplit["test"];
  /** Windows of neutral text. */
  readonly neutral: readonly Int32Array[];
  /** What the model's numbers depend on besides all this: its digest, the engine's release. */
  readonly model: { readonly [key: string]: CellPart };
}

/** Lists what must be measured on a model: unsteered first, then by layer, arm and strength. */
export function planPasses(layers: readonly RefusalLayer[], options: PlanPassesOptions): RefusalPass[] {
  const { strengths, unit, random, seed, samples, sampling, judges, keepTexts, frame, prompts, neutral, model } =
    options;
  const shared = hashCell({
    model,
    template: frame.template,
    prompts: { harmful: prompts.harmful, harmless: prompts.harmless },
    samples,
    sampling: { ...sampling },
    seed,
    judges: judges.map(({ digest }) => digest),
    keepTexts,
  });
  const damaged = hashCell({ model, neutral });
  const toPass = (
    row: Pick<RefusalPass, "kind" | "name" | "layer" | "strength" | "seed">,
    steering: readonly LayerAddition[],
  ): RefusalPass => {
    const added = steering.map(({ layer, vector }) => ({ layer, vector }));
    return {
      ...row,
      steering,
      key: hashCell({ kind: "responses", version: 1, shared, steering: added }),
      damageKey: hashCell({ kind: "damage", version: 1, damaged, steering: added }),
    };
  };
  const armsOf = ({ native, transferred }: RefusalLayer): Arm[] => [
    vectorArm("native", native, { unit }),
    ...(transferred ? [vectorArm("transferred", transferred, { unit })] : []),
    ...randomArms(native, { count: random, seed, unit }),
  ];
  const grid = [...strengths].sort((a, b) => a - b);
  return [
    toPass({ kind: "none", name: "unsteered", layer: null, strength: 0 }, []),
    ...layers.flatMap((layer) =>
      armsOf(layer).flatMap(({ kind, name, seed: drawn, steer }) =>
        grid.map((strength) =>
          toPass(
            {
              kind: kind as RefusalPass["kind"],
              name,
              layer: layer.layer,
              strength,
              ...(drawn === undefined ? {} : { seed: drawn }),
            },
            steer(strength),
          ),
        ),
      ),
    ),
  ];
}
