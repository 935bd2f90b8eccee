import {
  type Affine,
  chooseLambda,
  createMomentsSum,
  defaultLambdas,
  demoModelPath,
  fitAdamW,
  fitRidgePath,
  type Moments,
  openModel,
  type RowWindow,
  residPost,
  resolveCorpus,
  scoreMoments,
  toWindows,
} from "../src/index.ts";
import { median, type Ratio } from "./measure.ts";

/** Rows of the embedded S and M models after block 1: 8 of 10 windows fit, one chooses, one scores. */
const rowsWanted = 40_000;
/** AdamW is given up on after this many times the exact fit's time. */
const patience = 150;
/** Held-out error counts as equal within this share. */
const equal = 0.001;
const rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];

/**
 * The exact fit (moments, every penalty, the best chosen on validation rows) against the paper's AdamW (batches of 32 windows, weight
 * decay 0.01) on the same rows, which lie in memory for both. The rival is run three ways: as published, 4 epochs at 10⁻⁴ and at 10⁻³;
 * at those rates until its held-out error equals the exact fit's; and so at the rate that does best in 4 epochs on the validation
 * rows. Looking at the held-out rows to stop favours the rival, and the time that looking and choosing take is not counted.
 */
export async function benchMaps(threads: number): Promise<Ratio[]> {
  const windows = await readWindows(threads);
  const part = (keep: (place: number) => boolean): RowWindow[] => windows.filter((_, w) => keep(w % 10));
  const train = part((place) => place < 8);
  const [validation, heldOut] = [toMoments(part((place) => place === 8)), toMoments(part((place) => place === 9))];
  const exact = (): Affine => {
    const path = fitRidgePath(toMoments(train));
    return path.solve(chooseLambda(path, validation, defaultLambdas(path)).lambda);
  };
  const error = (map: Affine, rows: Moments): number => scoreMoments(map, rows).mse;
  const best = error(exact(), heldOut);
  const times = Array.from({ length: 7 }, () => timed(exact)).sort((a, b) => a - b);
  const ours = median(times);
  const ratio = (name: string, reference: number, target?: string): Ratio => ({
    name,
    unit: "s",
    target,
    ratio: reference / ours,
    lowest: reference / (times.at(-1) as number),
    highest: reference / (times[0] as number),
    ours,
    reference,
  });

  /** Seconds of descent and the error where it ended; it may stop sooner. */
  async function descend(learningRate: number, epochs: number, stop: (mse: number, spent: number) => boolean) {
    let spent = 0;
    let mse = Number.POSITIVE_INFINITY;
    let start = performance.now();
    const stopWhen = (map: Affine): boolean => {
      spent += (performance.now() - start) / 1000;
      mse = error(map, heldOut);
      start = performance.now();
      return stop(mse, spent);
    };
    const { lossByEpoch, ...map } = await fitAdamW(() => stream(train), {
      ...widths,
      learningRate,
      epochs,
      stopWhen,
    });
    return { spent, mse, epochs: lossByEpoch.length, validation: error(map, validation) };
  }

  const results: Ratio[] = [];
  const tried = new Map<number, number>();
  for (const rate of rates) {
    const { spent, mse, validation } = await descend(rate, 4, () => false);
    tried.set(rate, validation);
    if (rate !== 1e-4 && rate !== 1e-3) continue;
    results.push(
      ratio(`AdamW at ${rate}, 4 epochs, against the exact fit (error ${(mse / best).toFixed(2)} times)`, spent),
    );
  }
  const tuned = [...tried].reduce((a, b) => (b[1] < a[1] ? b : a))[0];
  for (const rate of new Set([1e-4, 1e-3, tuned])) {
    const { spent, mse, epochs } = await descend(
      rate,
      100_000,
      (now, so) => now <= best * (1 + equal) || so > patience * ours,
    );
    const reached = mse <= best * (1 + equal);
    results.push(
      ratio(
        `AdamW at ${rate}${rate === tuned ? " (best in 4 epochs)" : ""}, ${epochs} epochs, ${
          reached ? "equal held-out error" : `given up at error ${(mse / best).toFixed(3)} times`
        }`,
        spent,
        ">= 100",
      ),
    );
  }
  return results;
}

const widths = { dSource: 128, dTarget: 192 };

async function readWindows(threads: number): Promise<RowWindow[]> {
  const texts: Int32Array[] = [];
  const read = async (name: "s" | "m"): Promise<Float32Array[]> => {
    const model = await openModel(demoModelPath(name), { threads });
    try {
      if (texts.length === 0) {
        let rows = 0;
        const corpus = await resolveCorpus("models/data/corpus.jsonl.gz");
        for await (const { tokens } of toWindows(model, corpus.documents(), { context: model.context })) {
          texts.push(tokens);
          rows += tokens.length - 1;
          if (rows >= rowsWanted) break;
        }
      }
      const states: Float32Array[] = [];
      const { width } = model.description;
      // The first position is left out, as in every fit.
      for await (const window of model.readStates(texts, { sites: [residPost(1)] }))
        states.push((window.states[0] as Float32Array).slice(width));
      return states;
    } finally {
      await model.close();
    }
  };
  const X = await read("s");
  const Y = await read("m");
  return X.map((rows, w) => ({ X: rows, Y: Y[w] as Float32Array }));
}

function toMoments(windows: readonly RowWindow[]): Moments {
  const sum = createMomentsSum(widths.dSource, widths.dTarget);
  for (const { X, Y } of windows) sum.add(X, Y);
  return sum.moments();
}

async function* stream(windows: readonly RowWindow[]): AsyncGenerator<RowWindow, void, void> {
  yield* windows;
}

function timed(task: () => unknown): number {
  const start = performance.now();
  task();
  return (performance.now() - start) / 1000;
}
