/** Euclidean norm of every row of `[n, width]`, in float64. */
export function rowNorms(rows: Float32Array, width: number): Float64Array {
  const norms = new Float64Array(rows.length / width);
  for (let row = 0; row < norms.length; row++) {
    let sum = 0;
    for (let at = row * width; at < (row + 1) * width; at++) sum += (rows[at] as number) ** 2;
    norms[row] = Math.sqrt(sum);
  }
  return norms;
}

/** The median; the mean of the middle two for an even count, NaN for none. */
export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
