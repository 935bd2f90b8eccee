import type { TokenWindow } from "../index.ts";

/** Gives windows until they hold `limit` tokens together; the last one whole. All of them where there is no limit. */
export async function* limitTokens(
  windows: AsyncIterable<TokenWindow>,
  limit: number | undefined,
): AsyncGenerator<TokenWindow, void, void> {
  let read = 0;
  for await (const window of windows) {
    yield window;
    read += window.tokens.length;
    if (limit !== undefined && read >= limit) return;
  }
}
