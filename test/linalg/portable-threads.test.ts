import { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { computeTile, reportFailure } from "../../src/linalg/portable/crew.ts";
import { openKernel } from "../../src/linalg/portable/open-kernel.ts";
import {
  countBlocks,
  leftAt,
  noDiagonal,
  resultAt,
  rightAt,
  type Tile,
  type Workspace,
} from "../../src/linalg/portable/tile.ts";

const tile: Tile = {
  rowPanels: 25,
  colPanels: 30,
  depth: 100,
  chunk: 40,
  blockPanels: 8,
  rightAt,
  shift: noDiagonal,
  fresh: 1,
};
const resultLength = 25 * 30 * 16;

const started: Worker[] = [];
afterEach(async () => {
  for (const worker of started.splice(0)) await worker.terminate();
});

/** A workspace with packed operands in it, and what one thread makes of them. */
function prepare(): { workspace: Workspace; alone: Float64Array; startWorker: (seat: number) => void } {
  const { module, memory, workspace } = openKernel();
  const { values } = workspace;
  for (let i = 0; i < 25 * 400; i++) values[leftAt / 8 + i] = Math.sin(i);
  for (let i = 0; i < 30 * 400; i++) values[rightAt / 8 + i] = Math.cos(1.7 * i);
  expect(computeTile(workspace, tile, 0)).toBe(true);
  const alone = result(workspace);
  values.fill(Number.NaN, resultAt / 8, resultAt / 8 + resultLength);
  const startWorker = (seat: number): void => {
    const file = new URL("../../src/linalg/portable/worker.js", import.meta.url);
    started.push(new Worker(file, { workerData: { module, memory, seat }, execArgv: [] }));
  };
  return { workspace, alone, startWorker };
}

const result = ({ values }: Workspace): Float64Array => values.slice(resultAt / 8, resultAt / 8 + resultLength);

/** The workspace of a thread that stops at its first strip, for as long as `until` says. */
function pausing(workspace: Workspace, until: () => boolean): { workspace: Workspace; strips: () => number } {
  let strips = 0;
  const paused: Workspace = {
    ...workspace,
    strip: (...args) => {
      // The room for nobody's use beyond the tile's words serves as something to sleep on.
      for (let turns = 0; strips === 0 && !until() && turns < 20_000; turns++)
        Atomics.wait(workspace.words, 1000, 0, 1);
      strips++;
      workspace.strip(...args);
    },
  };
  return { workspace: paused, strips: () => strips };
}

/** Blocks nobody has taken: the first of the shared words. */
const untaken = ({ words }: Workspace): number => Atomics.load(words, 0);

test("computeTile(workspace, tile, 1) gives the bits of one thread, all but one block of them computed by the worker", () => {
  const { workspace, alone, startWorker } = prepare();
  startWorker(0);
  const caller = pausing(workspace, () => untaken(workspace) === 0);
  expect(computeTile(caller.workspace, tile, 1)).toBe(true);
  // One block is at most 8 panels over 3 chunks.
  expect(caller.strips()).toBeGreaterThan(0);
  expect(caller.strips()).toBeLessThanOrEqual(24);
  expect(result(workspace)).toEqual(alone);
});

test("computeTile(workspace, tile, 2) gives the bits of one thread, again and again", () => {
  const { workspace, alone, startWorker } = prepare();
  startWorker(0);
  startWorker(1);
  const caller = pausing(workspace, () => untaken(workspace) === 0);
  expect(computeTile(caller.workspace, tile, 2)).toBe(true);
  for (let round = 0; round < 200; round++) {
    workspace.values.fill(Number.NaN, resultAt / 8, resultAt / 8 + resultLength);
    expect(computeTile(workspace, { ...tile, blockPanels: 2 + (round % 9) }, 2)).toBe(true);
    expect(result(workspace).every((value, i) => value === alone[i])).toBe(true);
  }
});

test("computeTile(workspace, tile, 1) does everything itself while its worker is not there yet", () => {
  const { workspace, alone } = prepare();
  expect(computeTile(workspace, tile, 1)).toBe(true);
  expect(result(workspace)).toEqual(alone);
});

test("computeTile(workspace, tile, 1) leaves uninvited workers asleep", () => {
  const { workspace, alone, startWorker } = prepare();
  startWorker(1);
  // Nobody takes a block from the caller while it waits 200 ms in its first.
  let waits = 0;
  const caller = pausing(workspace, () => ++waits > 200);
  expect(computeTile(caller.workspace, tile, 1)).toBe(true);
  // 25 rows of panels, cut into 4 blocks each, over 3 chunks.
  expect(countBlocks(tile)).toBe(16);
  expect(caller.strips()).toBe(25 * 4 * 3);
  expect(result(workspace)).toEqual(alone);
});

test("computeTile(workspace, tile, 1) gives up a worker that took a block and fell silent, and one that said it failed", () => {
  const silent = prepare().workspace;
  let taken = false;
  // Takes a block as a worker would, and never finishes it.
  const steal = (workspace: Workspace): boolean => {
    if (!taken) Atomics.sub(workspace.words, 0, 1);
    taken = true;
    return true;
  };
  expect(computeTile(pausing(silent, () => steal(silent)).workspace, tile, 1, 50)).toBe(false);

  taken = false;
  const failing = prepare().workspace;
  const caller = pausing(failing, () => {
    reportFailure(failing);
    return steal(failing);
  });
  // With the usual patience of 10 s: the report is heard, not waited out. The test's own limit would not hold an hour.
  expect(computeTile(caller.workspace, tile, 1, 3_600_000)).toBe(false);
});
