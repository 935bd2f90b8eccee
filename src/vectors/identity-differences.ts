import type { ModelIdentity } from "../engine/description.ts";

/** In which of architecture, width, blocks and tokenizer two models differ. Empty for two quantisations of one model. */
export function identityDifferences(a: ModelIdentity, b: ModelIdentity): string[] {
  const differences: string[] = [];
  if (a.architecture !== b.architecture) differences.push(`architecture (${a.architecture}, ${b.architecture})`);
  if (a.width !== b.width) differences.push(`width (${a.width}, ${b.width})`);
  if (a.blocks !== b.blocks) differences.push(`number of blocks (${a.blocks}, ${b.blocks})`);
  if (a.tokenizerFingerprint !== b.tokenizerFingerprint) differences.push("tokenizer");
  return differences;
}
