import type { Strip } from "./strip-kernel.ts";

/** A compiled module; threads hand it to each other, and with it the machine code. */
export type WasmModule = object;

/** A memory that threads share. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
}

/** The part of the `WebAssembly` global used here: without the browser's types the language does not know it. */
interface WasmHost {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => WasmMemory;
  readonly Instance: new (
    module: WasmModule,
    imports: { kernel: { memory: WasmMemory } },
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** Compiles a module. @throws whatever the host throws where it has no WebAssembly, or none with vectors */
export function compileModule(bytes: Uint8Array<ArrayBuffer>): WasmModule {
  return new (host().Module)(bytes);
}

/** A memory of `sizeBytes`, zeroed; the operating system provides its pages as they are first touched. */
export function createSharedMemory(sizeBytes: number): WasmMemory {
  const pages = Math.ceil(sizeBytes / 65_536);
  return new (host().Memory)({ initial: pages, maximum: pages, shared: true });
}

/** The kernel of a module, working on `memory`. */
export function instantiateStrip(module: WasmModule, memory: WasmMemory): Strip {
  return new (host().Instance)(module, { kernel: { memory } }).exports["strip"] as Strip;
}

function host(): WasmHost {
  const { WebAssembly } = globalThis as { WebAssembly?: WasmHost };
  if (WebAssembly === undefined) throw new Error("this JavaScript engine runs without WebAssembly");
  return WebAssembly;
}
