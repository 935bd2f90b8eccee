import type { Sae, SaeOrigin } from "../sae.ts";
import { batchThreshold } from "./batch-threshold.ts";
import type { Block } from "./blocks.ts";
import type { RowSource } from "./row-source.ts";
import type { TrainingState } from "./training-state.ts";

/** The autoencoder of a finished training, float32, with how it came about. */
export function toSae(state: TrainingState, source: RowSource, block: Block, order: Int32Array): Sae {
  const { settings, parameters, inputScale, history, step } = state;
  const { kind, features, k } = settings;
  const limit = kind === "batchtopk" ? batchThreshold(state, block, order, source.width) : undefined;
  const threshold =
    kind === "jumprelu"
      ? Float32Array.from(parameters.logThreshold, Math.exp)
      : new Float32Array(features).fill(limit ?? 0);
  const origin: SaeOrigin = {
    format: "trimtab",
    model: source.model?.name,
    modelSha256: source.model?.sha256,
    site: source.model?.site,
    facts: {
      training: {
        settings,
        source: { name: source.name, ...source.facts },
        steps: step,
        rows: step * settings.batch,
        epochs: (step * settings.batch) / state.totalRows,
        history,
      },
    },
  };
  return {
    width: source.width,
    features,
    activation: kind,
    encoder: Float32Array.from(parameters.encoder),
    encoderBias: Float32Array.from(parameters.encoderBias),
    decoder: Float32Array.from(parameters.decoder),
    decoderBias: Float32Array.from(parameters.decoderBias),
    threshold: kind === "topk" ? undefined : threshold,
    k: kind === "jumprelu" ? undefined : k,
    gate: undefined,
    subtractsDecoderBias: true,
    inputScale,
    origin,
  };
}
