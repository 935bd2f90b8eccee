import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median, type Ratio } from "./measure.ts";

const child = fileURLToPath(new URL("memory-child.js", import.meta.url));
const [few, many] = [100_000, 1_000_000];

interface Measured {
  readonly peakBytes: number;
  readonly seconds: number;
}

/**
 * Peak memory of collecting a million rows against a hundred thousand, each in a process of its own: with models that only make numbers
 * up, of widths 192 and 256, three times, and once with the demo models XS and S, whose reading is what takes the time.
 */
export async function benchMemory(threads: number): Promise<Ratio[]> {
  return [await compare("made-up", 3, threads), await compare("demo", 1, threads)];
}

async function compare(kind: "made-up" | "demo", rounds: number, threads: number): Promise<Ratio> {
  const pairs: [Measured, Measured][] = [];
  for (let round = 0; round < rounds; round++)
    pairs.push([await measure(kind, many, threads), await measure(kind, few, threads)]);
  const ratios = pairs.map(([a, b]) => a.peakBytes / b.peakBytes);
  const megabytes = (of: (pair: [Measured, Measured]) => Measured): number =>
    median(pairs.map((pair) => of(pair).peakBytes / 1e6));
  return {
    name: `peak memory of 1M rows against 100k, ${kind === "demo" ? "demo models XS and S" : "made-up models"}`,
    unit: "MB",
    ratio: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
    target: "<= 1.1",
    ours: megabytes(([a]) => a),
    reference: megabytes(([, b]) => b),
  };
}

async function measure(kind: "made-up" | "demo", rows: number, threads: number): Promise<Measured> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, kind, String(rows), String(threads)]);
  return JSON.parse(stdout) as Measured;
}
