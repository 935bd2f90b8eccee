import { spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { seededRandom, setLinalgThreads, toRowSource, trainSae } from "../src/index.ts";
import { compareTold, type Ratio } from "./measure.ts";

const batch = 1024;
const k = 32;
/** The widths of `demo:s` and `demo:m`, and one of a 2B model. */
const sizes = [
  { width: 128, features: 1024, steps: 20 },
  { width: 192, features: 4096, steps: 8 },
  { width: 2304, features: 8192, steps: 1 },
] as const;

/**
 * Training an autoencoder against the same TopK step in PyTorch (float32, dense products), same sizes and threads, rows a second.
 *
 * Pythons tried: `TRIMTAB_PYTHON`, then `/usr/bin/python3`, Debian's python3-torch.
 */
export async function benchSae(threads: number): Promise<Ratio[]> {
  setLinalgThreads(threads);
  const ratios: Ratio[] = [];
  for (const { width, features, steps } of sizes) {
    const reference = await openReference([threads, batch, width, features, k]);
    if (!reference) {
      process.stderr.write("sae: skipped, no Python with torch; set TRIMTAB_PYTHON\n");
      return ratios;
    }
    try {
      const ours = openOurs(width, features);
      ratios.push(
        await compareTold(`training ${features} features of width ${width}, k ${k}, against ${reference.about}`, {
          ours: async () => (steps * batch) / (await ours(steps)),
          reference: async () => (steps * batch) / (await reference.time(steps)),
          rounds: 5,
          target: ">= 1.00",
          unit: "rows/s",
        }),
      );
    } finally {
      reference.close();
    }
  }
  return ratios;
}

/** Seconds of some steps, without those of beginning: the time from the end of one first step to the last. */
function openOurs(width: number, features: number): (steps: number) => Promise<number> {
  const random = seededRandom(0);
  const source = toRowSource(
    "normal",
    Float32Array.from({ length: 16 * batch * width }, () => random.normal()),
    width,
  );
  return async (steps) => {
    let first = 0;
    let last = 0;
    await trainSae(source, {
      ...{ features, k, batch, steps: steps + 1 },
      onProgress: ({ step }) => {
        if (step === 1) first = performance.now();
        last = performance.now();
      },
    });
    return (last - first) / 1000;
  };
}

interface Reference {
  readonly about: string;
  time(steps: number): Promise<number>;
  close(): void;
}

async function openReference(words: readonly number[]): Promise<Reference | undefined> {
  for (const python of new Set([process.env["TRIMTAB_PYTHON"] ?? "python3", "/usr/bin/python3"])) {
    const child = spawn(python, ["bench/sae.py", ...words.map(String)], { stdio: ["pipe", "pipe", "ignore"] });
    // A Python that is not there, or ends early for want of torch, closes its output: the next line is undefined.
    child.on("error", () => child.stdout.destroy());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) continue;
    const { torch } = JSON.parse(first.value) as { torch: string };
    return {
      about: torch,
      async time(steps) {
        child.stdin.write(`${steps}\n`);
        const { value } = await lines.next();
        if (value === undefined) throw new Error("bench/sae.py ended");
        return Number(value);
      },
      close: () => child.stdin.end(),
    };
  }
  return undefined;
}
