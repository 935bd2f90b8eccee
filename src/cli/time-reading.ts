import { type CollectOptions, collectMoments, type EngineModel } from "../index.ts";
import type { Effects } from "./effects.ts";
import { formatDuration } from "./units.ts";

/** Enough for a few windows of both models, a small part of any run worth foretelling. */
const trialTokens = 1024;

/**
 * Says about how long a collection will take, from collecting the beginning of its text. That is a guess: the first calls are slower
 * than later ones, other work of the machine comes and goes, and text without a limit has no known end.
 */
export async function timeReading(
  source: EngineModel,
  target: EngineModel,
  options: Omit<CollectOptions, "checkpoint" | "onProgress">,
  { clock }: Effects,
): Promise<string> {
  const { maxRows, maxTokens = Number.POSITIVE_INFINITY } = options;
  const start = clock();
  const { rowCounts, heldOut, ledger } = await collectMoments(source, target, {
    ...options,
    maxRows: undefined,
    maxTokens: Math.min(maxTokens, trialTokens),
  });
  const elapsed = clock() - start;
  const tokens = ledger.rows.total;
  const rows = [...rowCounts, ...heldOut.map((window) => window.tokens.length)].reduce((sum, count) => sum + count, 0);
  const judged = `judging by the first ${tokens} tokens`;
  if (maxRows !== undefined && rows > 0)
    return `about ${formatDuration((elapsed / rows) * maxRows)} to read ${maxRows} rows if the text has them, ${judged}; then the pairs are scored`;
  if (Number.isFinite(maxTokens))
    return `about ${formatDuration((elapsed / Math.max(1, tokens)) * maxTokens)} to read ${maxTokens} tokens if the text has them, ${judged}; then the pairs are scored`;
  return `about ${formatDuration((elapsed / Math.max(1, tokens)) * 1e6)} for each million tokens, ${judged}; the text is read to its end, then the pairs are scored`;
}
