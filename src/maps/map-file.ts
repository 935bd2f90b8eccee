import { mismatch } from "../errors.ts";
import { readSafetensors, type Tensor, writeSafetensors } from "../formats/safetensors.ts";
import type { WriteFileOptions } from "../formats/write-file.ts";
import { checkMatrix, createMatrix } from "../linalg/matrix.ts";
import type { AffineMap } from "./affine-map.ts";
import { formatFit, formatMapEnd, formatScores, parseFit, parseMapEnd, parseScores } from "./map-record.ts";
import { checkKind, float64Tensor } from "./tensor-file.ts";

const kind = "trimtab-map";

/**
 * Writes a map as safetensors: tensors `A` F64 `[dTarget, dSource]` and `p` F64 `[dTarget]`; format, version, both models with their
 * sites, the fit and the scores as JSON in the metadata. What is written reads back equal, to the bit.
 *
 * @throws bad-input if the map is not sound; io (the file that stood there before stays), aborted
 */
export async function writeMap(path: string, map: AffineMap, options: WriteFileOptions = {}): Promise<void> {
  checkMap(map, path);
  const metadata = new Map([
    ["format", kind],
    ["version", "1"],
    ["source", formatMapEnd(map.sources[0]!)],
    ["target", formatMapEnd(map.target)],
    ["fit", formatFit(map.fit)],
    ["scores", formatScores(map.scores)],
  ]);
  parseMetadata(metadata, path); // what could not be read back is not written
  const tensors = new Map<string, Tensor>([
    ["A", { shape: [map.A.rows, map.A.cols], data: map.A.data }],
    ["p", { shape: [map.p.length], data: map.p }],
  ]);
  await writeSafetensors(path, tensors, metadata, options);
}

/**
 * Reads a map that {@link writeMap} wrote, and checks that its parts fit together.
 *
 * @throws not-found, io; bad-input for a file that is damaged or of another kind; unsupported for a newer version, pickle, ZIP
 */
export async function readMap(path: string): Promise<AffineMap> {
  const file = await readSafetensors(path);
  checkKind(file, kind, path);
  const A = float64Tensor(file, "A", 2, path);
  const p = float64Tensor(file, "p", 1, path);
  return checkMap(
    {
      ...parseMetadata(file.metadata, path),
      A: createMatrix(A.shape[0] as number, A.shape[1] as number, A.data),
      p: p.data,
    },
    path,
  );
}

function parseMetadata(
  metadata: ReadonlyMap<string, string>,
  path: string,
): Pick<AffineMap, "sources" | "target" | "fit" | "scores"> {
  const text = (key: string): string => metadata.get(key) ?? "";
  return {
    sources: [parseMapEnd(text("source"), `${path}: source`)],
    target: parseMapEnd(text("target"), `${path}: target`),
    fit: parseFit(text("fit"), `${path}: fit`),
    scores: parseScores(text("scores"), `${path}: scores`),
  };
}

function checkMap(map: AffineMap, path: string): AffineMap {
  const { sources, target, A, p } = map;
  const [source] = sources;
  if (source === undefined || sources.length > 1)
    throw mismatch("unsupported", path, "one source site", `${sources.length}`);
  checkMatrix(A, `${path}: A`, { rows: target.model.width, cols: source.model.width });
  if (p.length !== A.rows) throw mismatch("bad-input", `${path}: p`, `${A.rows} values`, `${p.length}`);
  const bad = p.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw mismatch("bad-input", `${path}: p`, "finite values", `${p[bad]} at ${bad}`);
  if (source.model.tokenizerFingerprint !== target.model.tokenizerFingerprint)
    throw mismatch("bad-input", path, "two models with one tokenizer", "two different tokenizers");
  return map;
}
