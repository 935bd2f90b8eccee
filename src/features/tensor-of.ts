import { mismatch } from "../errors.ts";
import type { Safetensors } from "../formats/safetensors.ts";

/** A tensor of floats by name, checked against a shape (undefined for a size that is not known yet). @throws bad-input */
export function floatTensor(
  file: Pick<Safetensors, "tensors">,
  name: string,
  shape: readonly (number | undefined)[],
  path: string,
): { readonly shape: readonly number[]; readonly data: Float32Array } {
  const tensor = file.tensors.get(name);
  if (!tensor)
    throw mismatch(
      "bad-input",
      path,
      `a tensor ${name}`,
      [...file.tensors.keys()].slice(0, 12).join(", ") || "no tensors",
    );
  const where = `${path}: ${name}`;
  const fits =
    tensor.shape.length === shape.length && shape.every((size, i) => size === undefined || size === tensor.shape[i]);
  if (!fits)
    throw mismatch(
      "bad-input",
      where,
      `[${shape.map((size) => size ?? "n").join(", ")}]`,
      `[${tensor.shape.join(", ")}]`,
    );
  if (tensor.data instanceof Float32Array) return { shape: tensor.shape, data: tensor.data };
  if (tensor.data instanceof Float64Array) return { shape: tensor.shape, data: Float32Array.from(tensor.data) };
  throw mismatch("bad-input", where, "floats (F64, F32, F16 or BF16)", "integers");
}
