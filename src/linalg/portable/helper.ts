import { workerData } from "node:worker_threads";
import { reportFailure, serveTiles } from "./crew.ts";
import { openWorkspace } from "./tile.ts";
import type { WasmMemory, WasmModule } from "./wasm-host.ts";

/** What a helper thread is started with. */
export interface HelperStart {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  /** Its number, from 0. */
  readonly helper: number;
}

// The entry of a helper thread: serves until its process, or the thread that started it, ends.
const { module, memory, helper } = workerData as HelperStart;
const workspace = openWorkspace(module, memory);
try {
  serveTiles(workspace, helper);
} catch (cause) {
  reportFailure(workspace);
  throw cause;
}
