import { mismatch } from "../errors.ts";
import type { Safetensors } from "../formats/safetensors.ts";

/** How a file of each kind comes about. */
const hints: Readonly<Record<string, string>> = {
  "trimtab-map": "write one with: trimtab fit SOURCE TARGET --corpus PATH -o FILE",
  "trimtab-feature-map": "write one with: trimtab sae map SOURCE TARGET --sae DIR --corpus PATH -o FILE",
  "trimtab-moments": "write one with: trimtab moments collect SOURCE TARGET --corpus PATH -o FILE",
  "trimtab-stitch": "write one with: trimtab stitch fit SOURCE TARGET --map FILE --corpus PATH -o FILE",
  "trimtab-probe": "write one with: trimtab probe train MODEL --pairs FILE -o FILE",
};

/** A file, or as much of it as its header tells. */
type KindOfFile = Safetensors | { readonly metadata: Safetensors["metadata"]; readonly names: readonly string[] };

/**
 * Checks that a safetensors file is one of ours, of the given kind and of a version that can be read, and returns the version.
 *
 * @throws bad-input naming what it is instead; unsupported for another version
 */
export function checkKind(
  { metadata, ...of }: KindOfFile,
  kind: string,
  path: string,
  versions: readonly string[] = ["1"],
): string {
  const found = metadata.get("format");
  if (found !== kind)
    throw mismatch("bad-input", path, `a ${kind} file`, describe(found, "names" in of ? of.names : of.tensors.keys()), {
      hint: hints[kind],
    });
  const version = metadata.get("version");
  if (version === undefined || !versions.includes(version))
    throw mismatch(
      "unsupported",
      path,
      `a ${kind} of version ${versions.join(" or ")}`,
      `version ${String(version).slice(0, 20)}`,
      {
        hint: "update trimtab",
      },
    );
  return version;
}

function describe(format: string | undefined, names: Iterable<string>): string {
  if (format?.startsWith("trimtab-")) return `a ${format.slice(0, 40)} file`;
  const [first] = names;
  return first === undefined
    ? "a safetensors file without tensors"
    : `another program's safetensors file (tensor ${JSON.stringify(first.slice(0, 60))})`;
}

/**
 * Picks a float64 tensor of a given number of dimensions.
 *
 * @throws bad-input if it is missing or of another type or rank
 */
export function float64Tensor(
  { tensors }: Safetensors,
  name: string,
  rank: number,
  path: string,
): { readonly shape: readonly number[]; readonly data: Float64Array } {
  const tensor = tensors.get(name);
  if (!tensor) throw mismatch("bad-input", path, `a tensor ${name}`, `${[...tensors.keys()].join(", ").slice(0, 80)}`);
  if (!(tensor.data instanceof Float64Array) || tensor.shape.length !== rank)
    throw mismatch(
      "bad-input",
      `${path}: ${name}`,
      `F64 of ${rank} dimensions`,
      `${tensor.data.constructor.name} [${tensor.shape.join(", ")}]`,
    );
  return { shape: tensor.shape, data: tensor.data };
}
