import type { Corpus } from "../activations/corpus.ts";
import type { OpenModel } from "../engine/open-model.ts";
import type { Site } from "../engine/site.ts";
import type { Sae } from "../features/sae.ts";
import { openModelRows } from "../features/train/model-rows.ts";
import type { TrainOptions } from "../features/train/settings.ts";
import { type TrainProgress, trainSae } from "../features/train/train-sae.ts";

/** An autoencoder with the model and the site that it codes. */
export interface CodedModel {
  readonly model: OpenModel;
  readonly sae: Sae;
  /** How results call the autoencoder. */
  readonly saeName: string;
  readonly site: Site;
}

export interface TrainCodedModelOptions extends TrainOptions {
  readonly site: Site;
  readonly corpus: Corpus;
  readonly context?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
}

/**
 * Trains an autoencoder for a study that was given none, on nine of ten documents of its corpus: those that `fitMap` with the same seed does
 * not hold out.
 *
 * @throws as `openModelRows` and `trainSae`
 */
export async function trainCodedModel(model: OpenModel, options: TrainCodedModelOptions): Promise<CodedModel> {
  const { site, corpus, context, signal, onProgress, ...training } = options;
  const rows = await openModelRows(model, { site, corpus, context, seed: training.seed });
  const sae = await trainSae(rows, { ...training, signal, onProgress });
  return { model, sae, saeName: `${sae.activation} of ${sae.features}, trained here`, site };
}
