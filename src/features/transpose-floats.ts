/** The transpose `[cols, rows]` of a row-major matrix `[rows, cols]`, a copy. */
export function transposeFloats(values: Float32Array, { rows, cols }: { rows: number; cols: number }): Float32Array {
  const result = new Float32Array(values.length);
  // Blocks of 32 x 32 keep both sides in the first-level cache.
  const block = 32;
  for (let i0 = 0; i0 < rows; i0 += block)
    for (let j0 = 0; j0 < cols; j0 += block)
      for (let i = i0; i < Math.min(i0 + block, rows); i++)
        for (let j = j0; j < Math.min(j0 + block, cols); j++) result[j * rows + i] = values[i * cols + j] as number;
  return result;
}
