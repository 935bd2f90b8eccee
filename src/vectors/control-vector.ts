import { formatSite, residPost } from "../engine/site.ts";
import { mismatch } from "../errors.ts";
import { formatGguf } from "../formats/format-gguf.ts";
import { type GgufTensorInfo, readGgufHeader } from "../formats/gguf.ts";
import { readGgufTensor } from "../formats/gguf-tensor.ts";
import { type GgufValue, ggufNumber, ggufNumbers, ggufString } from "../formats/gguf-value.ts";
import { formatProvenance, importedProvenance, parseProvenance } from "./provenance.ts";
import { checkSteeringVector, type Direction, type SteeringVector } from "./steering-vector.ts";

const ours = "controlvector.trimtab";

/** Deeper than any model; a vector file with more tensors is not one. */
const maxDirections = 4096;

/**
 * Writes a steering vector as the bytes of a control-vector GGUF, as llama.cpp's `--control-vector` and repeng read it.
 *
 * `direction.N` is a 1-D F32 tensor added to the output of block N (0-based), with its natural length, which llama.cpp multiplies by the
 * scale. `controlvector.model_hint` is the architecture, `controlvector.layer_count` (u32) the number of directions. Provenance and
 * median norms stand under `controlvector.trimtab.*`, which other programs pass over.
 *
 * @throws unsupported for a direction at layer 0, which llama.cpp cannot steer; bad-input for a vector that is not sound
 */
export function formatControlVector(vector: SteeringVector): Uint8Array {
  checkSteeringVector(vector);
  const directions = vector.directions.toSorted((a, b) => a.site.layer - b.site.layer);
  if (directions[0]!.site.layer === 0)
    throw mismatch(
      "unsupported",
      "control-vector GGUF",
      "layers from 1",
      `a direction at ${formatSite(residPost(0))}`,
      {
        hint: "llama.cpp cannot steer block 0; choose another layer, or save as .safetensors",
      },
    );
  const { provenance } = vector;
  const metadata = new Map<string, GgufValue>([
    ["general.architecture", { type: "string", value: "controlvector" }],
    // repeng refuses files without it.
    [
      "controlvector.model_hint",
      { type: "string", value: provenance.modelHint ?? provenance.model?.architecture ?? "unknown" },
    ],
    ["controlvector.layer_count", { type: "u32", value: directions.length }],
    [`${ours}.format`, { type: "u32", value: 1 }],
    [`${ours}.provenance`, { type: "string", value: formatProvenance(provenance) }],
    [
      `${ours}.median_norms`,
      { type: "array", of: "f64", value: directions.map(({ medianNorm }) => medianNorm ?? Number.NaN) },
    ],
  ]);
  const tensors = directions.map(({ site, vector: data }) => ({
    name: `direction.${site.layer}`,
    dims: [data.length],
    data,
  }));
  return formatGguf({ metadata, tensors });
}

/**
 * Reads a control-vector GGUF by Trimtab, repeng, llama-cvector-generator or others, as strictly as llama.cpp does: every tensor is a
 * 1-D F32 `direction.N`, N ≥ 1, all of one length. A file without our provenance has kind `imported`.
 *
 * @throws not-found, io; bad-input for anything else, by name
 */
export async function readControlVector(path: string): Promise<SteeringVector> {
  const header = await readGgufHeader(path);
  const architecture = ggufString(header, "general.architecture");
  if (architecture !== undefined && architecture !== "controlvector")
    throw mismatch("bad-input", path, "a control vector", `a model or file of architecture "${architecture}"`);
  if (header.tensors.length === 0 || header.tensors.length > maxDirections)
    throw mismatch("bad-input", path, `1 to ${maxDirections} directions`, String(header.tensors.length));
  const format = ggufNumber(header, `${ours}.format`);
  if (format !== undefined && format !== 1)
    throw mismatch("unsupported", path, "a vector of format 1", String(format), { hint: "update trimtab" });
  // llama-cvector-generator writes i32, others u32; nobody reads it, but a string there is no control vector.
  ggufNumber(header, "controlvector.layer_count");
  const norms = format === undefined ? undefined : ggufNumbers(header, `${ours}.median_norms`);
  const directions: Direction[] = [];
  for (const [i, tensor] of header.tensors.entries()) {
    const layer = toLayer(tensor, path);
    const vector = await readGgufTensor(path, header, tensor.name);
    const norm = norms?.[i];
    directions.push({
      site: residPost(layer),
      vector,
      medianNorm: norm === undefined || Number.isNaN(norm) ? undefined : norm,
    });
  }
  directions.sort((a, b) => a.site.layer - b.site.layer);
  const text = format === undefined ? undefined : ggufString(header, `${ours}.provenance`);
  const provenance =
    text === undefined
      ? importedProvenance({
          modelHint: ggufString(header, "controlvector.model_hint"),
          method: ggufString(header, "controlvector.method") ?? "control-vector file of another program",
        })
      : parseProvenance(text, path);
  return checkSteeringVector({ directions, provenance }, path);
}

function toLayer({ name, dims, typeName }: GgufTensorInfo, path: string): number {
  const where = `${path}: tensor ${JSON.stringify(name)}`;
  const match = /^direction\.(\d{1,5})$/.exec(name);
  if (!match) throw mismatch("bad-input", where, 'a name "direction.<layer>"', "another name");
  const layer = Number(match[1]);
  if (layer === 0)
    throw mismatch("bad-input", where, "a layer from 1", "0", {
      hint: "llama.cpp refuses such files: its control vectors cannot reach block 0",
    });
  if (typeName !== "F32") throw mismatch("bad-input", where, "type F32", typeName);
  if (dims.length !== 1) throw mismatch("bad-input", where, "one dimension", `${dims.length}`);
  return layer;
}
