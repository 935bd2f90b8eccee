import { endianness } from "node:os";
import { TrimtabError } from "../errors.ts";

/** Typed arrays are copied to and from files as they lie in memory, which is right on little-endian machines only. */
export function checkLittleEndian(): void {
  if (endianness() !== "LE")
    throw new TrimtabError("unsupported", "this machine: expected little-endian byte order, got big-endian");
}
