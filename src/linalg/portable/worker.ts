import { workerData } from "node:worker_threads";
import { reportFailure, serveTiles } from "./crew.ts";
import { openWorkspace } from "./tile.ts";
import type { WasmMemory, WasmModule } from "./wasm-host.ts";

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** Its number, from 0. */
  readonly seat: number;
}

// The entry of a worker thread: serves until its process, or the thread that started it, ends.
const { module, memory, seat } = workerData as WorkerStart;
const workspace = openWorkspace(module, memory);
try {
  serveTiles(workspace, seat);
} catch (cause) {
  reportFailure(workspace);
  throw cause;
}
