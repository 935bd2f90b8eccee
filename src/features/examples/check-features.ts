import { mismatch } from "../../errors.ts";

/** More features than anyone reads about at once; each takes 32 kB. */
const mostFeatures = 1024;

/** Checks a list of feature numbers against an autoencoder's number of features and returns it. @throws bad-input */
export function checkFeatures(features: readonly number[], count: number): readonly number[] {
  if (features.length === 0 || features.length > mostFeatures)
    throw mismatch("bad-input", "features", `1 to ${mostFeatures} numbers`, String(features.length));
  const seen = new Set<number>();
  for (const feature of features) {
    if (!Number.isInteger(feature) || feature < 0 || feature >= count)
      throw mismatch("bad-input", "feature", `a number from 0 to ${count - 1}`, String(feature));
    if (seen.has(feature)) throw mismatch("bad-input", "features", "each once", `${feature} twice`);
    seen.add(feature);
  }
  return features;
}
