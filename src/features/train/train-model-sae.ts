import type { OpenModel } from "../../engine/open-model.ts";
import type { Sae } from "../sae.ts";
import { type ModelTextOptions, openModelRows } from "./model-rows.ts";
import { type TrainSaeOptions, trainSae } from "./train-sae.ts";

/** What is read and how it is trained on. */
export interface TrainModelSaeOptions extends Omit<ModelTextOptions, "part">, TrainSaeOptions {}

/**
 * Trains a sparse autoencoder of an open model at a site on the training documents of a corpus, nine of ten; the rest is left for its
 * scores. `seed` decides the split too.
 *
 * @throws as {@link trainSae} and for the site, the context and the corpus
 * @example
 * const sae = await trainModelSae(model, { site: residPost(1), corpus, features: 1024, k: 32 });
 */
export async function trainModelSae(model: OpenModel, options: TrainModelSaeOptions): Promise<Sae> {
  const { site, corpus, context, maxTokens, seed } = options;
  return trainSae(await openModelRows(model, { site, corpus, context, maxTokens, seed }), options);
}
