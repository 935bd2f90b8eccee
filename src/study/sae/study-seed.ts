import { type CarryingMaps, carrySae } from "../../features/carry-sae.ts";
import { decodeRows } from "../../features/decode.ts";
import { encodeRows } from "../../features/encode.ts";
import type { Sae } from "../../features/sae.ts";
import type { RowSource } from "../../features/train/row-source.ts";
import type { TrainOptions } from "../../features/train/settings.ts";
import { trainSae } from "../../features/train/train-sae.ts";
import { seededRandom } from "../../linalg/random.ts";
import { measureSurvival } from "./feature-survival.ts";
import { type Explained, explainedVariance, explainedWithInterval, type HeldRows } from "./held-rows.ts";
import type { SaeStart, SaeStudySeed } from "./sae-study-result.ts";
import { type CurvePoint, snapshotSteps } from "./training-cost.ts";

export interface StudySeedOptions {
  readonly source: { readonly rows: RowSource; readonly held: HeldRows };
  readonly target: { readonly rows: RowSource; readonly held: HeldRows };
  readonly maps: CarryingMaps & { readonly shuffled: CarryingMaps };
  /** An autoencoder of the source; trained with this seed where there is none. */
  readonly sae: Sae | undefined;
  readonly training: TrainOptions & { readonly steps: number };
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  /** Told each training's steps. */
  readonly onStep: (label: string, step: number) => void;
}

/** The autoencoders of the new model that a seed came to. */
export interface StudiedSaes {
  readonly carried: Sae;
  readonly trained: Readonly<Record<SaeStart, Sae>>;
}

/** Trains an autoencoder of the source, carries it, trains it further beside one from scratch and one carried by nothing. */
export async function studySeed(
  options: StudySeedOptions,
): Promise<{ readonly result: SaeStudySeed; readonly saes: StudiedSaes }> {
  const { source, target, maps, training, seed, signal, onStep } = options;
  const settings = { ...training, seed, signal };
  const sae =
    options.sae ??
    (await trainSae(source.rows, { ...settings, onProgress: ({ step }) => onStep("autoencoder of the source", step) }));
  const carried = carrySae(sae, maps, { isUnit: false });
  const nothing = carrySae(sae, maps.shuffled, { isUnit: false });
  const explain = (of: Sae): Explained => explainedWithInterval(target.held, reconstruct(of, target.held.rows), seed);
  const untrained: { sae?: Sae } = {};
  const train = async (start: SaeStart, initial: Sae | undefined) => {
    const curve: CurvePoint[] = [];
    const end = await trainSae(target.rows, {
      ...settings,
      initial,
      onProgress: ({ step }) => onStep(`from ${start}`, step),
      snapshots: {
        atSteps: snapshotSteps(training.steps),
        onSnapshot: (now, step) => {
          if (step === 0 && start === "scratch") untrained.sae = now;
          curve.push({ step, explained: explainedVariance(target.held, reconstruct(now, target.held.rows)) });
        },
      },
    });
    return { curve, end, explained: explain(end) };
  };
  const scratch = await train("scratch", undefined);
  const fromCarried = await train("carried", carried);
  const fromNothing = await train("shuffled map", nothing);
  const before = encodeRows(sae, source.held.rows);
  const codes = encodeRows(carried, target.held.rows);
  const survival = measureSurvival(before, codes);
  const none = measureSurvival(before, encodeRows(nothing, target.held.rows));
  const after = measureSurvival(before, encodeRows(fromCarried.end, target.held.rows));
  return {
    saes: {
      carried,
      trained: { carried: fromCarried.end, scratch: scratch.end, "shuffled map": fromNothing.end },
    },
    result: {
      seed,
      source: explainedWithInterval(source.held, decodeRows(sae, before), seed),
      sourceL0: before.indices.length / before.rows,
      zeroShot: {
        carried: explain(carried),
        carriedL0: codes.indices.length / codes.rows,
        carriedUnit: explain(carrySae(sae, maps, { isUnit: true })),
        shuffledMap: explain(nothing),
        untrained: explain(untrained.sae!),
        permuted: explain(permuteDecoder(scratch.end, seed)),
      },
      trained: { carried: fromCarried.explained, scratch: scratch.explained, "shuffled map": fromNothing.explained },
      curves: { carried: fromCarried.curve, scratch: scratch.curve, "shuffled map": fromNothing.curve },
      survival: {
        judged: survival.judged,
        silent: survival.silent,
        survives: survival.survives,
        ...survival.correlation,
        nullSurvives: none.survives,
        nullMedian: none.correlation.median,
        trainedSurvives: after.survives,
        trainedMedian: after.correlation.median,
      },
    },
  };
}

function reconstruct(sae: Sae, rows: Float32Array): Float32Array {
  return decodeRows(sae, encodeRows(sae, rows));
}

/** The same autoencoder, each feature writing another one's direction. */
function permuteDecoder(sae: Sae, seed: number): Sae {
  const { width, features } = sae;
  const order = seededRandom(seed).shuffle(Array.from({ length: features }, (_, j) => j));
  const decoder = new Float32Array(sae.decoder.length);
  for (const [to, from] of order.entries())
    decoder.set(sae.decoder.subarray(from * width, (from + 1) * width), to * width);
  return { ...sae, decoder };
}
