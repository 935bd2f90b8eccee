import type { Random } from "../linalg/random.ts";

/** Pairs of rows that do not belong together. */
export interface ShuffledPairs {
  /** Takes the rows of one window: X `[n, dSource]`, Y `[n, dTarget]`. */
  add(X: Float32Array, Y: Float32Array): void;
  /** Pairs what is still held. */
  end(): void;
}

export interface ShuffledPairsOptions {
  readonly dSource: number;
  readonly dTarget: number;
  readonly random: Random;
  /** Windows whose target rows wait to be drawn. More shuffle further and take more memory. */
  readonly windows: number;
}

/**
 * Pairs every source row with a target row of another window, in one pass: the null of a map fitted on pairs without a relation.
 *
 * Windows wait; once there are more than `windows`, the source rows that came first meet target rows drawn at random from all that
 * wait, their order shuffled too, so that not even the position in the window is shared. Every source row and every target row is
 * given out exactly once, through `emit`, so means and variances are those of the true pairs. A window may meet its own rows, once in
 * `windows`.
 */
export function createShuffledPairs(
  { dSource, dTarget, random, windows }: ShuffledPairsOptions,
  emit: (X: Float32Array, Y: Float32Array) => void,
): ShuffledPairs {
  const bag: Float32Array[] = [];
  const waiting = { X: [] as Float32Array[], Y: [] as Float32Array[] };

  function draw(): void {
    const at = random.integer(bag.length);
    const rows = bag[at] as Float32Array;
    const last = bag.pop() as Float32Array;
    if (at < bag.length) bag[at] = last;
    waiting.Y.push(shuffleRows(rows, dTarget, random));
  }

  /** Windows differ in length: as many rows are paired as both sides have waiting. */
  function flush(): void {
    while (waiting.X.length > 0 && waiting.Y.length > 0) {
      const X = waiting.X[0] as Float32Array;
      const Y = waiting.Y[0] as Float32Array;
      const n = Math.min(X.length / dSource, Y.length / dTarget);
      if (n > 0) emit(X.subarray(0, n * dSource), Y.subarray(0, n * dTarget));
      dropRows(waiting.X, n * dSource);
      dropRows(waiting.Y, n * dTarget);
    }
  }

  return {
    add(X, Y) {
      waiting.X.push(X);
      bag.push(Y);
      if (bag.length > windows) {
        draw();
        flush();
      }
    },
    end() {
      while (bag.length > 0) draw();
      flush();
    },
  };
}

function shuffleRows(rows: Float32Array, width: number, random: Random): Float32Array {
  const result = new Float32Array(rows.length);
  const order = random.shuffle(Array.from({ length: rows.length / width }, (_, i) => i));
  order.forEach((from, to) => {
    result.set(rows.subarray(from * width, (from + 1) * width), to * width);
  });
  return result;
}

function dropRows(queue: Float32Array[], values: number): void {
  const first = queue[0] as Float32Array;
  if (values === first.length) queue.shift();
  else queue[0] = first.subarray(values);
}
