import { mismatch } from "../errors.ts";
import { readMaps, readSafetensorsHeader, readTunedStitch, type StitchMap } from "../index.ts";
import type { Arguments } from "./arguments.ts";

/** Reads `--map FILE`: a map from `trimtab fit`, the one to `--layer` where there are several, or a tuned one from `trimtab stitch fit`. */
export async function readStitchMap(args: Arguments, command: string): Promise<StitchMap> {
  const path = args.text("map");
  if (path === undefined)
    throw mismatch("usage", command, "--map FILE", "none", {
      hint: "make one with trimtab fit SOURCE TARGET --corpus PATH --layers A:B -o map.safetensors",
    });
  const { metadata } = await readSafetensorsHeader(path);
  const layer = args.whole("layer", 0, 100_000);
  const maps = metadata.get("format") === "trimtab-stitch" ? [await readTunedStitch(path)] : await readMaps(path);
  const found = layer === undefined ? maps : maps.filter(({ target }) => target.site.layer === layer);
  if (found.length === 1) return found[0]!;
  const layers = maps.map(({ target }) => target.site.layer).join(", ");
  const got = layer === undefined ? "none" : String(layer);
  throw mismatch("usage", "--layer", `one of the target layers ${layers} of ${path}`, got);
}
