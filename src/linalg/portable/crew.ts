import { computeBlock, countBlocks, type Tile, type Workspace } from "./tile.ts";

// How threads share a tile. Words of the shared memory:
//   waiting   blocks not yet taken: whoever makes it one less owns that block, and no tile is over before its blocks are finished
//   finished  blocks done of this tile
//   failed    1 once a worker has given up
//   seats     workers that may take part; the rest stay asleep
//   tile...   the tile's eight numbers, written while no block can be taken
const waiting = 0;
const finished = 1;
const failed = 2;
const seats = 3;
const tileWords = 8;

/** A worker may be kept from its core by others: only after 10 s without one finished block is it given up. */
const patience = 10_000;

/**
 * Computes a tile with up to `workers` other threads, and returns once it is done. False if a worker failed or went silent: the
 * memory must then not be used any more, since that worker might still write to it.
 */
export function computeTile(workspace: Workspace, tile: Tile, workers: number, patienceMs: number = patience): boolean {
  const { words } = workspace;
  const blocks = countBlocks(tile);
  if (workers === 0) {
    for (let block = 0; block < blocks; block++) computeBlock(workspace, tile, block);
    return true;
  }
  writeTile(words, tile);
  Atomics.store(words, seats, workers);
  Atomics.store(words, finished, 0);
  Atomics.store(words, waiting, blocks);
  Atomics.notify(words, waiting);
  while (takeBlock(workspace));
  return awaitBlocks(words, blocks, patienceMs);
}

/** A worker's life: takes blocks while there are any, sleeps while there are none. Returns only by an exception or with its thread. */
export function serveTiles(workspace: Workspace, seat: number): never {
  const { words } = workspace;
  for (;;) {
    const seen = Atomics.load(words, waiting);
    const invited = seat < Atomics.load(words, seats);
    if (!invited || !takeBlock(workspace)) Atomics.wait(words, waiting, seen);
  }
}

/** Says that a worker is no longer there. */
export function reportFailure({ words }: Workspace): void {
  Atomics.store(words, failed, 1);
  Atomics.notify(words, finished);
}

/** Takes and computes a block. False if there is none to take. */
function takeBlock(workspace: Workspace): boolean {
  const { words } = workspace;
  for (;;) {
    const seen = Atomics.load(words, waiting);
    if (seen === 0) return false;
    if (Atomics.compareExchange(words, waiting, seen, seen - 1) !== seen) continue;
    computeBlock(workspace, readTile(words), seen - 1);
    Atomics.add(words, finished, 1);
    Atomics.notify(words, finished);
    return true;
  }
}

function awaitBlocks(words: Int32Array, blocks: number, patienceMs: number): boolean {
  // In ten waits, not one: where the whole process was stopped for a while, only one of them is over when it goes on.
  const waits = 10;
  for (let over = 0; over < waits; ) {
    const done = Atomics.load(words, finished);
    if (done === blocks) return true;
    if (Atomics.load(words, failed) === 1) return false;
    over = Atomics.wait(words, finished, done, patienceMs / waits) === "timed-out" ? over + 1 : 0;
  }
  return false;
}

function writeTile(words: Int32Array, tile: Tile): void {
  const { rowPanels, colPanels, depth, chunk, blockPanels, rightAt, shift, fresh } = tile;
  words.set([rowPanels, colPanels, depth, chunk, blockPanels, rightAt, shift, fresh], tileWords);
}

function readTile(words: Int32Array): Tile {
  const [rowPanels, colPanels, depth, chunk, blockPanels, rightAt, shift, fresh] = words.subarray(
    tileWords,
    tileWords + 8,
  ) as unknown as [number, number, number, number, number, number, number, number];
  return { rowPanels, colPanels, depth, chunk, blockPanels, rightAt, shift, fresh };
}
