import { createHash } from "node:crypto";
import type { TokenWindow } from "../activations/windows.ts";

/** What had been read at some point. */
export interface ReadPoint {
  /** Digest of the documents so far, hex: each step is the sha256 of the digest before and the document's. */
  readonly sha256: string;
  readonly documents: number;
}

/** Keeps the record of a stream of windows, unit by unit, while somebody else reads it. */
export interface ReadRecord {
  /** The same windows, up to `maxTokens` of them; those that are passed over later count too. */
  readonly windows: AsyncGenerator<TokenWindow, void, void>;
  /** Where the documents stood with a window, among those that were not asked for before; windows are asked for in order. */
  atWindow(window: number): ReadPoint;
  /** Where the documents stood at the end of a unit that has passed. */
  atUnit(unit: number): ReadPoint;
  /** Last unit that has passed, −1 for none. */
  lastUnit(): number;
  /** Whether the stream was cut by `maxTokens`. */
  wasCut(): boolean;
}

const nothing: ReadPoint = { sha256: createHash("sha256").digest("hex"), documents: 0 };

/**
 * Opens a record of what is read. Digests are of documents, not of their bytes joined, so that corpora that cut the same text
 * differently differ; and they are a chain, so that a resumed run can tell that it reads the same text.
 */
export function recordReading(
  windows: AsyncIterable<TokenWindow>,
  { maxTokens = Number.POSITIVE_INFINITY }: { readonly maxTokens?: number | undefined } = {},
): ReadRecord {
  const units: ReadPoint[] = [];
  const windowsAhead = new Map<number, ReadPoint>();
  let document = -1;
  let isCut = false;

  async function* pass(): AsyncGenerator<TokenWindow, void, void> {
    let tokens = 0;
    for await (const window of windows) {
      if (tokens >= maxTokens) {
        isCut = true;
        return;
      }
      tokens += window.tokens.length;
      const before = units[window.unit] ?? units[window.unit - 1] ?? nothing;
      const point = window.document.index === document ? before : extend(before, window.document.text);
      units[window.unit] = point;
      windowsAhead.set(window.index, point);
      document = window.document.index;
      yield window;
    }
  }

  return {
    windows: pass(),
    atWindow(window) {
      const point = windowsAhead.get(window) ?? nothing;
      for (const passed of windowsAhead.keys()) {
        if (passed > window) break;
        windowsAhead.delete(passed);
      }
      return point;
    },
    atUnit: (unit) => units[unit] ?? nothing,
    lastUnit: () => units.length - 1,
    wasCut: () => isCut,
  };
}

function extend({ sha256, documents }: ReadPoint, text: string): ReadPoint {
  const own = createHash("sha256").update(text).digest();
  return { sha256: createHash("sha256").update(sha256).update(own).digest("hex"), documents: documents + 1 };
}
