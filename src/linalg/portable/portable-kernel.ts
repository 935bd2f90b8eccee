import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { mismatch } from "../../errors.ts";
import { type OpenKernel, openKernel } from "./open-kernel.ts";
import type { WorkerStart } from "./worker.ts";

/** Which kernel multiplies where no system library does. */
export interface PortableKernel {
  readonly kernel: "wasm" | "javascript";
  /** Threads that share a large product, the calling one included. */
  readonly threads: number;
  /** Why it is not the faster kernel, or not the threads that were asked for; undefined if all is well. */
  readonly trouble: string | undefined;
}

/** Copying in and out is the calling thread's alone: more than 16 threads would mostly wait for it. */
const mostThreads = 16;

/** Below 4 million multiplications and additions, 0.2 ms, a worker is hardly awake before all is done. */
const sharedWork = 4e6;

/** Starting a thread costs some 30 ms of a core: workers start once products worth sharing have together cost about 20. */
const startWork = 4e8;

let threads = Math.min(availableParallelism(), mostThreads);
let trouble: string | undefined;
let kernel: OpenKernel | "none" | undefined;
let workers: Worker[] = [];
let alone = false;
let work = 0;

/**
 * Sets how many threads share a large product of the portable kernel, the calling one included; at most 16 are used. Results are the
 * same bits whatever the number.
 *
 * Workers start when there is work for them, sleep between products and do not keep the process alive. Each thread that multiplies
 * (each of `node:worker_threads`) has its own setting and its own workers.
 *
 * @throws bad-input if the number is not a positive integer
 */
export function setPortableThreads(count: number): void {
  if (!Number.isSafeInteger(count) || count < 1)
    throw mismatch("bad-input", "threads", "a positive integer", String(count));
  threads = Math.min(count, mostThreads);
}

/** Says which kernel serves the calling thread, for `doctor` and for records of runs. */
export function describePortableKernel(): PortableKernel {
  const wasm = findKernel() !== undefined;
  return { kernel: wasm ? "wasm" : "javascript", threads: wasm && !alone ? threads : 1, trouble };
}

/** The WebAssembly kernel, opened at first use; undefined where it cannot be used, which is said once as a warning. */
export function findKernel(): OpenKernel | undefined {
  if (kernel === undefined)
    try {
      kernel = openKernel();
    } catch (cause) {
      kernel = "none";
      warn(`matrix products run in JavaScript, about 6 times slower: ${messageOf(cause)}`);
    }
  return kernel === "none" ? undefined : kernel;
}

/** How many workers to share a product of `size` multiplications and additions with, having started them if it is time to. */
export function findWorkers(open: OpenKernel, size: number): number {
  if (alone || threads === 1 || size < sharedWork) return 0;
  work += size;
  if (work >= startWork) while (!alone && workers.length < threads - 1) startWorker(open, workers.length);
  return alone ? 0 : Math.min(workers.length, threads - 1);
}

/** Goes on without workers, and with a memory that none of them knows: one of them failed or went silent. */
export function dismissWorkers(reason: string): void {
  if (alone) return;
  alone = true;
  kernel = undefined;
  warn(`matrix products run in one thread: ${reason}`);
  for (const worker of workers) void worker.terminate();
  workers = [];
}

function startWorker({ module, memory }: OpenKernel, seat: number): void {
  const start: WorkerStart = { module, memory, seat };
  try {
    // No flags of ours: loaders and inspectors are not meant for a thread that runs one loop.
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: start, execArgv: [] });
    worker.on("error", (cause) => dismissWorkers(`a worker thread failed: ${cause.message}`));
    worker.unref();
    workers.push(worker);
  } catch (cause) {
    dismissWorkers(`no worker thread could be started: ${messageOf(cause)}`);
  }
}

function warn(message: string): void {
  trouble = message;
  process.emitWarning(message, { type: "TrimtabWarning", code: "TRIMTAB_PRODUCTS" });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
