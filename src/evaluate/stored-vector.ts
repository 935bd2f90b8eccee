import type { Site } from "../engine/site.ts";
import type { SteeringVector } from "../vectors/steering-vector.ts";

/** A steering vector as JSON carries it, to the last bit. */
export interface StoredVector extends Omit<SteeringVector, "directions"> {
  readonly directions: readonly { readonly site: Site; readonly medianNorm: number | null; readonly base64: string }[];
}

/** Writes a vector as plain data for a cell. */
export function toStored({ directions, provenance }: SteeringVector): StoredVector {
  return {
    directions: directions.map(({ site, medianNorm, vector }) => ({
      site,
      medianNorm: medianNorm ?? null,
      base64: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64"),
    })),
    provenance,
  };
}

/** Reads what {@link toStored} wrote. */
export function fromStored({ directions, provenance }: StoredVector): SteeringVector {
  return {
    directions: directions.map(({ site, medianNorm, base64 }) => {
      // A copy, because a Buffer may begin anywhere in its pool and a Float32Array must not.
      const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
      return { site, medianNorm: medianNorm ?? undefined, vector: new Float32Array(bytes.buffer) };
    }),
    // JSON leaves out the fields that are undefined; they read the same.
    provenance,
  };
}
