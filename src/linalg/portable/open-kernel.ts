import { assembleStripKernel, panelRows } from "./strip-kernel.ts";
import { leftAt, openWorkspace, resultAt, rightAt, type Workspace, workspaceBytes } from "./tile.ts";
import { compileModule, createSharedMemory, type WasmMemory, type WasmModule } from "./wasm-host.ts";

/** The compiled kernel, and the memory that it works on. */
export interface OpenKernel {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  readonly workspace: Workspace;
}

/**
 * Compiles the kernel for the calling thread and lets it prove itself on one small block.
 *
 * @throws Error, of whatever class, where the host has no WebAssembly, no vectors, no shared memory or none left, or where the block
 * comes out wrong (a host whose numbers are big-endian, say): the kernel cannot be used, and the message says why
 */
export function openKernel(): OpenKernel {
  const module = compileModule(assembleStripKernel());
  const memory = createSharedMemory(workspaceBytes);
  const workspace = openWorkspace(module, memory);
  checkKernel(workspace);
  return { module, memory, workspace };
}

/** Small integers, whose products are exact: C becomes 1 + Σ over t of a(i, t) b(j, t). */
function checkKernel({ values, strip }: Workspace): void {
  const depth = 3;
  const a = (i: number, t: number): number => 1 + i + 10 * t;
  const b = (j: number, t: number): number => 2 - j * t;
  for (let i = 0; i < panelRows; i++)
    for (let t = 0; t < depth; t++) {
      values[leftAt / 8 + t * panelRows + i] = a(i, t);
      values[rightAt / 8 + t * panelRows + i] = b(i, t);
    }
  values.fill(1, resultAt / 8, resultAt / 8 + panelRows * panelRows);
  strip(leftAt, rightAt, resultAt, 1, depth);
  for (let i = 0; i < panelRows; i++)
    for (let j = 0; j < panelRows; j++) {
      let expected = 1;
      for (let t = 0; t < depth; t++) expected += a(i, t) * b(j, t);
      const got = values[resultAt / 8 + i * panelRows + j];
      if (got !== expected) throw new Error(`a product that is ${expected} came out as ${got}`);
    }
}
