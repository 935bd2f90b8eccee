import { mismatch } from "../errors.ts";
import { type LazyTensor, type ReadFloatsOptions, readFloats, type TensorFile } from "../formats/lazy-tensor.ts";

/** Finds a tensor under the first of its names that the file has, and checks its shape before any of it is read. @throws bad-input */
export function findTensor(
  { tensors, path }: Pick<TensorFile, "tensors" | "path">,
  names: string | readonly string[],
  shape: readonly (number | undefined)[],
): LazyTensor {
  const asked = typeof names === "string" ? [names] : names;
  const tensor = asked.map((name) => tensors.get(name)).find((found) => found !== undefined);
  if (!tensor) {
    const there = [...tensors.keys()].slice(0, 12).map((name) => name.slice(0, 40));
    throw mismatch("bad-input", path, `a tensor ${asked.join(" or ")}`, there.join(", ") || "no tensors");
  }
  const fits =
    tensor.shape.length === shape.length && shape.every((size, i) => size === undefined || size === tensor.shape[i]);
  if (!fits)
    throw mismatch(
      "bad-input",
      `${path}: ${tensor.name}`,
      `[${shape.map((size) => size ?? "n").join(", ")}]`,
      `[${tensor.shape.join(", ")}]`,
    );
  return tensor;
}

/** Reads a tensor of a known shape as float32. @throws bad-input, io, aborted */
export function readTensor(
  file: Pick<TensorFile, "tensors" | "path">,
  names: string | readonly string[],
  shape: readonly number[],
  options: ReadFloatsOptions = {},
): Promise<Float32Array> {
  return readFloats(findTensor(file, names, shape), options);
}
