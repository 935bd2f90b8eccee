import type { PairedRows } from "../activations/paired-rows.ts";
import { median, rowNorms } from "../activations/row-norms.ts";
import { seededRandom } from "../linalg/random.ts";
import { createHeldOutSet } from "./held-out-set.ts";
import { createMomentsSum, type Moments } from "./moments.ts";
import { createShuffledPairs } from "./shuffled-pairs.ts";
import { splitWindows } from "./split-windows.ts";
import { createTokenSums, type TokenTable } from "./token-table.ts";

/** Everything a fit keeps of the rows it has read. */
export interface CollectedRows {
  readonly train: Moments;
  /** The training rows paired at random. */
  readonly shuffled: Moments;
  readonly validation: Moments;
  readonly heldOut: readonly PairedRows[];
  /** Mean states by token over the training and the validation rows. */
  readonly table: TokenTable;
  readonly validationTable: TokenTable;
  /** Windows that gave at least one row, by what they were used for. */
  readonly windows: { readonly train: number; readonly validation: number; readonly heldOut: number };
  readonly medianNorm: { readonly source: number; readonly target: number };
}

export interface Collector {
  /** Rows taken so far. */
  readonly rows: number;
  add(window: PairedRows): void;
  end(): CollectedRows;
}

export interface CollectorOptions {
  readonly dSource: number;
  readonly dTarget: number;
  readonly seed: number;
  readonly maxHeldBytes?: number | undefined;
}

/** Held-out rows kept at most: at so many the interval of R² is narrower than any decision about a map. */
const maxHeldRows = 20_000;
/** Rows whose norms give the median. */
const maxNorms = 65_536;
/** Windows that wait to be shuffled at most. */
const maxShuffleWindows = 64;

/** Opens a collector: it splits windows into training, validation and held-out ones and keeps what each part needs, no more. */
export function createCollector(options: CollectorOptions): Collector {
  const { dSource, dTarget, seed, maxHeldBytes = 2 ** 28 } = options;
  const rowBytes = 4 * (dSource + dTarget);
  const seeds = seededRandom(seed);
  const [forHeldOut, forShuffle] = [seededRandom(seeds.integer(2 ** 32)), seededRandom(seeds.integer(2 ** 32))];
  const partOf = splitWindows(seed);
  const train = createMomentsSum(dSource, dTarget);
  const validation = createMomentsSum(dSource, dTarget);
  const unrelated = createMomentsSum(dSource, dTarget);
  const tokens = createTokenSums(dSource, dTarget, maxHeldBytes);
  const validationTokens = createTokenSums(dSource, dTarget, maxHeldBytes);
  const heldOut = createHeldOutSet(Math.max(1, Math.min(maxHeldRows, Math.floor(maxHeldBytes / rowBytes))), forHeldOut);
  // Windows of 512 rows are the longest usual; a bag of at least two still shuffles.
  const bag = Math.max(2, Math.min(maxShuffleWindows, Math.floor(maxHeldBytes / (512 * rowBytes))));
  const shuffled = createShuffledPairs({ dSource, dTarget, random: forShuffle, windows: bag }, unrelated.add);
  const norms = { x: [] as number[], y: [] as number[] };
  const windows = { train: 0, validation: 0 };
  let rows = 0;

  function addTrain(window: PairedRows): void {
    windows.train++;
    train.add(window.X, window.Y);
    tokens.add(window.tokens, window.X, window.Y);
    shuffled.add(window.X, window.Y);
  }

  return {
    get rows() {
      return rows;
    },
    add(window) {
      if (window.tokens.length === 0) return;
      rows += window.tokens.length;
      if (norms.x.length < maxNorms) {
        for (const norm of rowNorms(window.X, dSource)) norms.x.push(norm);
        for (const norm of rowNorms(window.Y, dTarget)) norms.y.push(norm);
      }
      const part = partOf(window.window);
      if (part === "train") addTrain(window);
      else if (part === "heldOut") heldOut.add(window).forEach(addTrain);
      else {
        windows.validation++;
        validation.add(window.X, window.Y);
        validationTokens.add(window.tokens, window.X, window.Y);
      }
    },
    end() {
      shuffled.end();
      const held = heldOut.windows();
      return {
        train: train.moments(),
        shuffled: unrelated.moments(),
        validation: validation.moments(),
        heldOut: held,
        table: tokens.table(),
        validationTable: validationTokens.table(),
        windows: { ...windows, heldOut: held.length },
        medianNorm: { source: median(norms.x), target: median(norms.y) },
      };
    },
  };
}
