import { mismatch } from "../errors.ts";
import type { MemoryEstimate } from "../index.ts";
import type { Effects } from "./effects.ts";
import type { Progress } from "./progress.ts";
import { formatBytes } from "./units.ts";

/**
 * Says what a collection will hold, and refuses one that will not fit: the system would end the program when hours of reading are done.
 *
 * @throws unsupported if it is more than this machine has free
 */
export function checkMemory(estimate: MemoryEstimate, { freeBytes }: Effects, progress: Progress): void {
  const { moments, heldOut, tokens, total } = estimate;
  const free = freeBytes();
  const parts = `${formatBytes(moments)} of moments, ${formatBytes(heldOut + tokens)} of held-out rows and token means`;
  if (total > free)
    throw mismatch(
      "unsupported",
      "memory",
      `${formatBytes(total)} free to collect in (${parts})`,
      `${formatBytes(free)}`,
      {
        hint: "name fewer layers with --layers; memory goes with their products, whatever the text",
      },
    );
  progress.note(`will hold at most about ${formatBytes(total)}: ${parts}`);
}
