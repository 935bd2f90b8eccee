import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { addPortableProduct } from "../../src/linalg/portable/add-product.ts";
import {
  describePortableKernel,
  dismissWorkers,
  setPortableThreads,
} from "../../src/linalg/portable/portable-kernel.ts";
import { gaussian } from "./fixture.ts";

/** Multiplies what is worth starting workers for, several times over; prints the product's sum and the kernel's description. */
const source = new URL("../../src/linalg/portable/", import.meta.url).href;
const program = `
  const { addPortableProduct } = await import("${source}add-product.js");
  const { describePortableKernel, setPortableThreads } = await import("${source}portable-kernel.js");
  function multiply(threads, n = 400) {
    setPortableThreads(threads);
    const view = (data) => ({ data, offset: 0, stride: n });
    const A = view(Float64Array.from({ length: n * n }, (_, i) => Math.sin(i)));
    const C = view(new Float64Array(n * n));
    for (let round = 0; round < 10; round++) addPortableProduct(C, A, A, { m: n, n, k: n });
    return { sum: C.data.reduce((sum, value) => sum + value), ...describePortableKernel() };
  }`;

interface Outcome {
  readonly sum: number;
  readonly kernel: string;
  readonly threads: number;
  readonly trouble?: string;
}

/** Runs the program with `script` after it in a process of its own. A process that hangs is ended after a minute, with status null. */
function run(script: string, flags: readonly string[] = []): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...flags, "--input-type=module", "-e", program + script], {
    encoding: "utf8",
    timeout: 60_000,
  });
}

const print = "console.log(JSON.stringify(multiply(2)));";
const usual: Outcome = JSON.parse(run("console.log(JSON.stringify(multiply(1)));").stdout) as Outcome;

test("a process whose worker threads sleep ends by itself with all said, with the bits of one thread", () => {
  const { status, stdout, stderr } = run(print);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({ ...usual, threads: 2 });
});

test("a process that calls process.exit between products ends at once with that status", () => {
  expect(
    run("multiply(2); await new Promise((done) => setTimeout(done, 100)); multiply(2); process.exit(7);").status,
  ).toBe(7);
});

test("products in a worker thread have workers of their own, and end with it", () => {
  const { status, stdout, stderr } = run(`
    const { Worker, isMainThread, parentPort } = await import("node:worker_threads");
    const script = ${JSON.stringify(program)} + 'const { parentPort } = await import("node:worker_threads"); parentPort.postMessage(multiply(2));';
    const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(script)));
    worker.on("message", (said) => console.log(JSON.stringify(said)));`);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({ ...usual, threads: 2 });
});

test("without WebAssembly, or without shared memory, products run in JavaScript, and that is said once", () => {
  // Without its compiler the engine interprets, 100 times slower: a product of 40 x 40 is enough to ask for the kernel.
  const small = "console.log(JSON.stringify(multiply(2, 40)));";
  const { sum } = JSON.parse(run(small).stdout) as Outcome;
  for (const { flags, before, reason } of [
    { flags: ["--jitless"], before: "", reason: "without WebAssembly" },
    {
      flags: [],
      before: "WebAssembly.Memory = function () { throw new Error('no shared memory'); };",
      reason: "no shared memory",
    },
  ]) {
    const { status, stdout, stderr } = run(before + small, flags);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      // Sums of 1600 values of ten times 40 products below 1, in another order: 1e-9 is a million times 2^-53 of their sizes.
      sum: expect.closeTo(sum, 9),
      kernel: "javascript",
      threads: 1,
      trouble: expect.stringContaining(reason),
    });
    expect(stderr.match(/TRIMTAB_PRODUCTS/g)).toHaveLength(1);
    expect(stderr).toContain(reason);
  }
});

test("where threads are not permitted products run in one, with the same bits, and that is said once", () => {
  const flag = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";
  const { status, stdout, stderr } = run(print, [flag, "--allow-fs-read=*"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ sum: usual.sum, kernel: "wasm", threads: 1 });
  expect(stderr.match(/TRIMTAB_PRODUCTS/g)).toHaveLength(1);
});

test("a product whose worker fails in the middle is computed again by one thread, with the same bits, and that is said once", () => {
  // What a worker does that takes a block and then fails: one block fewer to take (word 0), and word 2 set.
  const failing = `
    const take = Atomics.compareExchange;
    let failed = false;
    Atomics.compareExchange = (words, index, expected, value) => {
      if (!failed && expected > 2) {
        failed = true;
        Atomics.sub(words, 0, 1);
        Atomics.store(words, 2, 1);
      }
      return take(words, index, expected, value);
    };`;
  const { status, stdout, stderr } = run(failing + print);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    ...usual,
    threads: 1,
    trouble: "matrix products run in one thread: a worker thread failed or fell silent",
  });
  expect(stderr.match(/TRIMTAB_PRODUCTS/g)).toHaveLength(1);
});

test("dismissWorkers(reason) goes on in one thread and a new memory, with the same bits", () => {
  const A = gaussian(500, 500, 1);
  const view = { data: A.data, offset: 0, stride: 500 };
  const product = (): Float64Array => {
    const data = new Float64Array(500 * 500);
    addPortableProduct({ data, offset: 0, stride: 500 }, view, view, { m: 500, n: 500, k: 500 });
    return data;
  };
  setPortableThreads(1);
  const alone = product();
  const same = (other: Float64Array): boolean => other.every((value, i) => value === alone[i]);
  for (const threads of [2, 3, 2, 1, 3]) {
    setPortableThreads(threads);
    for (let round = 0; round < 4; round++) expect(same(product())).toBe(true);
  }
  dismissWorkers("the test says so");
  expect(same(product())).toBe(true);
  expect(describePortableKernel()).toEqual({
    kernel: "wasm",
    threads: 1,
    trouble: "matrix products run in one thread: the test says so",
  });
});

test("setPortableThreads(count) refuses what is not a positive integer", () => {
  for (const count of [0, -1, 1.5, Number.NaN])
    expect(() => setPortableThreads(count)).toThrow(`threads: expected a positive integer, got ${count}`);
});
