/** What the strength axis shows, in words. */
export function strengthLabel(unit: string): string {
  return unit === "rms"
    ? "strength (median row norms)"
    : unit === "absolute"
      ? "strength (absolute length)"
      : `strength (${unit})`;
}
