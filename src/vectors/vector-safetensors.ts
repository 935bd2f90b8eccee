import { formatSite, parseSite, residPost, type Site } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { readSafetensors, type Safetensors, type Tensor, writeSafetensors } from "../formats/safetensors.ts";
import type { WriteFileOptions } from "../formats/write-file.ts";
import { formatProvenance, importedProvenance, parseProvenance } from "./provenance.ts";
import { checkSteeringVector, type SteeringVector } from "./steering-vector.ts";

const formatName = "trimtab-vector";

/**
 * Writes a steering vector as safetensors: one F32 tensor `[width]` per site, named `resid_post.<layer>`; format, version, provenance
 * and median norms in the metadata.
 *
 * @throws bad-input for a vector that is not sound; io, aborted
 */
export async function writeVectorSafetensors(
  path: string,
  vector: SteeringVector,
  options: WriteFileOptions = {},
): Promise<void> {
  checkSteeringVector(vector);
  const tensors = new Map<string, Tensor>(
    vector.directions.map(({ site, vector: data }) => [formatSite(site), { shape: [data.length], data }]),
  );
  const norms = vector.directions.map(({ site, medianNorm }) => [formatSite(site), medianNorm]);
  const metadata = new Map([
    ["format", formatName],
    ["version", "1"],
    ["provenance", formatProvenance(vector.provenance)],
    ["median_norms", JSON.stringify(Object.fromEntries(norms))],
  ]);
  await writeSafetensors(path, tensors, metadata, options);
}

/**
 * Reads a steering vector from safetensors: ours, or a stranger's with one tensor `layer_<i>` per layer (as saklas writes; i is the
 * block whose output it is added to), which has kind `imported`.
 *
 * @throws not-found, io; bad-input, unsupported
 */
export async function readVectorSafetensors(path: string): Promise<SteeringVector> {
  const file = await readSafetensors(path);
  const isOurs = file.metadata.get("format") === formatName;
  if (isOurs && file.metadata.get("version") !== "1")
    throw mismatch("unsupported", path, "a vector of version 1", String(file.metadata.get("version")), {
      hint: "update trimtab",
    });
  const norms = isOurs ? readNorms(file, path) : new Map<string, number>();
  const directions = [...file.tensors].map(([name, tensor]) => ({
    site: toSite(name, isOurs, path),
    vector: toVector(name, tensor, path),
    medianNorm: norms.get(name),
  }));
  directions.sort((a, b) => a.site.layer - b.site.layer);
  const provenance = isOurs
    ? parseProvenance(file.metadata.get("provenance") ?? "", path)
    : importedProvenance({ method: "safetensors file of another program" });
  return checkSteeringVector({ directions, provenance }, path);
}

function toSite(name: string, isOurs: boolean, path: string): Site {
  if (isOurs) return parseSite(name);
  const match = /^layer_(\d{1,5})$/.exec(name);
  if (match) return residPost(Number(match[1]));
  throw mismatch(
    "bad-input",
    path,
    "a steering vector (tensors resid_post.<layer> or layer_<i>)",
    `tensor ${JSON.stringify(name.slice(0, 60))}`,
    {
      hint: "is this a map or a model instead of a vector?",
    },
  );
}

function toVector(name: string, { shape, data }: Tensor, path: string): Float32Array {
  const isRow = shape.length === 1 || (shape.length === 2 && shape[0] === 1);
  if (!isRow || !(data instanceof Float32Array))
    throw mismatch("bad-input", `${path}: ${name}`, "one dimension of floats", `[${shape.join(", ")}]`);
  return data;
}

function readNorms({ metadata }: Safetensors, path: string): Map<string, number> {
  const where = `${path}: median_norms`;
  let value: unknown;
  try {
    value = JSON.parse(metadata.get("median_norms") ?? "{}");
  } catch (error) {
    throw mismatch("bad-input", where, "JSON", "something else", { cause: error });
  }
  const norms = new Map<string, number>();
  if (typeof value !== "object" || value === null) throw mismatch("bad-input", where, "an object", String(value));
  for (const [site, norm] of Object.entries(value)) {
    if (typeof norm !== "number") throw mismatch("bad-input", where, "numbers", typeof norm);
    norms.set(site, norm);
  }
  return norms;
}
