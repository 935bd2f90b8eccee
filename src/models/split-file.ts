/** Where a file stands in a model split by llama.cpp's `gguf-split`. */
export interface SplitName {
  /** What all parts have before `-00001-of-00003.gguf`. */
  readonly prefix: string;
  /** 1-based. */
  readonly part: number;
  readonly parts: number;
}

/** Reads `prefix-00002-of-00003.gguf`; undefined for any other name. */
export function parseSplitName(name: string): SplitName | undefined {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s.exec(name);
  if (!match) return undefined;
  const [part, parts] = [Number(match[2]), Number(match[3])];
  return part >= 1 && part <= parts ? { prefix: match[1]!, part, parts } : undefined;
}

/** Writes the name of one part. */
export function formatSplitName({ prefix, part, parts }: SplitName): string {
  const five = (number: number) => String(number).padStart(5, "0");
  return `${prefix}-${five(part)}-of-${five(parts)}.gguf`;
}

/** All names of the model that `name` belongs to, part 1 first; just `name` if it is not split. */
export function splitNames(name: string): string[] {
  const split = parseSplitName(name);
  if (split === undefined) return [name];
  return Array.from({ length: split.parts }, (_, index) => formatSplitName({ ...split, part: index + 1 }));
}
