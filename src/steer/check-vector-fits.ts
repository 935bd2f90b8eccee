import { type ModelDescription, toIdentity } from "../engine/description.ts";
import { checkSite, formatSite } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { identityDifferences } from "../vectors/identity-differences.ts";
import { checkSteeringVector, type SteeringVector, vectorWidth } from "../vectors/steering-vector.ts";

/**
 * Checks that a vector can steer a model and returns what is allowed but worth saying.
 *
 * An error: another width, a layer that the model does not have, or a vector of a model with another architecture, depth or tokenizer.
 * A warning: another file of the same model (another quantisation), a stranger's vector whose architecture hint is another name (Hugging
 * Face and llama.cpp name them differently), and one that names no model at all.
 *
 * @param sha256 of the model's file, if known
 * @throws incompatible; unsupported if the model cannot be steered
 */
export function checkVectorFits(
  vector: SteeringVector,
  description: ModelDescription,
  sha256?: string | undefined,
): string[] {
  checkSteeringVector(vector);
  const { name, width, blocks, capabilities } = description;
  if (!capabilities.steer)
    throw mismatch("unsupported", name, "a model that can be steered", "one that cannot", {
      hint: capabilities.reason,
    });
  if (vectorWidth(vector) !== width)
    throw mismatch("incompatible", "vector", `width ${width}, that of ${name}`, `${vectorWidth(vector)}`, {
      hint: "it is of another model; carry it over with a map",
    });
  for (const { site } of vector.directions)
    if (site.layer >= blocks)
      throw mismatch("incompatible", "vector", `layers from 0 to ${blocks - 1}, those of ${name}`, formatSite(site));
    else checkSite(site, blocks, "vector");
  const { model, modelHint } = vector.provenance;
  if (!model) {
    if (modelHint === undefined || modelHint === description.architecture)
      return [`the vector does not say which model it is of; its width fits ${name}`];
    return [`the vector is for a "${modelHint}" model, ${name} is "${description.architecture}"; its width fits`];
  }
  const differences = identityDifferences(model, toIdentity(description, sha256 ?? ""));
  if (differences.length > 0)
    throw mismatch("incompatible", "vector", `one of ${name}`, `one of ${model.name}`, {
      hint: `they differ in ${differences.join(", ")}; carry the vector over with a map`,
    });
  if (sha256 === undefined || sha256 === model.sha256) return [];
  return [
    `the vector was made on another file (${model.name}, ${model.quantisation}) than ${name} (${description.quantisation})`,
  ];
}
