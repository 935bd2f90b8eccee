import type { Sampling } from "./native/generate.ts";
import type { Intervention } from "./native/native-model.ts";
import type { GeneratedPiece, Generation } from "./open-model.ts";
import type { WorkerClient } from "./worker-client.ts";

/** Streams the pieces of one generation; ends the worker's loop when the signal fires or the consumer leaves. */
export async function* streamGeneration(
  client: WorkerClient,
  {
    prompt,
    intervention,
    sampling,
    signal,
  }: { prompt: Int32Array; intervention: Intervention; sampling: Sampling; signal: AbortSignal | undefined },
): AsyncGenerator<GeneratedPiece, Generation, void> {
  const abort = new SharedArrayBuffer(4);
  const stop = () => Atomics.store(new Int32Array(abort), 0, 1);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  const pieces: GeneratedPiece[] = [];
  let wake = () => {};
  let isOver = false;
  const whole = client
    .call<Generation[]>(
      { method: "generate", prompts: [prompt], intervention, sampling, stream: true, abort },
      (piece) => {
        pieces.push(piece);
        wake();
      },
    )
    .finally(() => {
      isOver = true;
      wake();
    });
  // Heard below by `await whole`; this keeps a consumer that left early from meeting an unhandled rejection.
  whole.catch(() => undefined);
  try {
    for (;;) {
      const piece = pieces.shift();
      if (piece) yield piece;
      else if (isOver) break;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    const [generation] = await whole;
    return generation!;
  } finally {
    stop();
    signal?.removeEventListener("abort", stop);
  }
}
