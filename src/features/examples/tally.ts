import type { TokenWindow } from "../../activations/windows.ts";
import type { FeatureWindow } from "../read-features.ts";
import { openTopList, type TopList } from "./top-list.ts";
import { openValueHistogram, type ValueHistogram } from "./value-histogram.ts";

/** A place that is kept: the tokens around it, and where it is. */
export interface KeptPlace {
  readonly tokens: Int32Array;
  /** Index of the place in `tokens`. */
  readonly at: number;
  readonly source: string;
  readonly document: number;
  readonly window: number;
  readonly position: number;
}

/** What is kept of one feature while text is read. */
export interface Tally {
  /** Counts that the feature is active at row `i` of a window. */
  readonly add: (value: number, one: Pick<FeatureWindow, "tokens" | "positions" | "window">, i: number) => void;
  /** Keeps the strongest place of the window, if it is one of the strongest of all. */
  readonly endWindow: (window: TokenWindow, around: { readonly before: number; readonly after: number }) => void;
  readonly read: () => {
    readonly active: number;
    readonly documents: number;
    readonly sum: number;
    readonly histogram: ValueHistogram;
    readonly byToken: ReadonlyMap<number, { readonly rows: number; readonly sum: number }>;
    readonly examples: TopList<KeptPlace>;
  };
}

/** Opens an empty tally that keeps at most `top` places. */
export function openTally(top: number): Tally {
  const histogram = openValueHistogram();
  const byToken = new Map<number, { rows: number; sum: number }>();
  const examples = openTopList<KeptPlace>(top);
  let [active, documents, document, sum] = [0, 0, -1, 0];
  let strongest = { value: 0, position: -1 };
  return {
    add(value, { tokens, positions, window }, i) {
      active++;
      sum += value;
      if (window.document.index !== document) documents++;
      document = window.document.index;
      histogram.add(value);
      const token = tokens[i] as number;
      const found = byToken.get(token);
      if (found) {
        found.rows++;
        found.sum += value;
      } else byToken.set(token, { rows: 1, sum: value });
      if (value > strongest.value) strongest = { value, position: positions[i] as number };
    },
    endWindow({ tokens, document: of, index }, { before, after }) {
      const { value, position } = strongest;
      strongest = { value: 0, position: -1 };
      if (value === 0 || !examples.takes(value)) return;
      const start = Math.max(0, position - before);
      examples.add(value, {
        tokens: tokens.slice(start, position + after + 1),
        at: position - start,
        source: of.source,
        document: of.index,
        window: index,
        position,
      });
    },
    read: () => ({ active, documents, sum, histogram, byToken, examples }),
  };
}
