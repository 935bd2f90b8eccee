import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import { mismatch, TrimtabError } from "../errors.ts";
import { formatGgufStart, ggufPadding } from "../formats/format-gguf.ts";
import { type GgufHeader, type GgufTensorInfo, readGgufHeader } from "../formats/gguf.ts";
import { toGgufNumbers } from "../formats/gguf-numbers.ts";
import { parseSplitName } from "../formats/gguf-split.ts";
import { ggmlTypes } from "../formats/gguf-tensor-types.ts";
import { type GgufValue, ggufString } from "../formats/gguf-value.ts";
import { floatsToBfloats, floatsToHalves } from "../formats/half.ts";
import { type OpenFile, openRegularFile, readExactly } from "../formats/open-regular-file.ts";
import { writeFileAtomic } from "../formats/write-file.ts";
import { type Random, seededRandom } from "../linalg/random.ts";
import { checkNotAborted } from "./retry.ts";

export interface UntrainedCopyOptions {
  /** Integer from 0 to 2⁵³ − 1; same seed and source, same file. Default 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What became of each tensor, by name. */
export interface UntrainedCopy {
  /** Drawn anew with the standard deviation that the trained tensor had. */
  readonly redrawn: readonly string[];
  /** Drawn anew with 1/√(row length), since the numbers of its type are not read here. */
  readonly drawnFromShape: readonly string[];
  /** Left as they were. */
  readonly kept: readonly string[];
}

/** Numbers drawn or read at a time: 4 MiB of floats. Whole blocks of every ggml type. */
const pieceNumbers = 1 << 20;

/**
 * Writes a model of the same architecture, metadata and tokenizer that was never trained: the null of a map's source.
 *
 * A map from it shows what any network of this shape tells of a text, from the current token and those before it, without having
 * learnt anything. Every weight matrix, embeddings included, is drawn anew: independent normals of mean 0 with that tensor's own
 * standard deviation, so that norms along the residual stream stay plausible; no entry keeps its place or sign. Vectors (norm gains, biases, rope
 * factors) and state matrices without the ending `.weight` are kept: they scale and shift alike for every token and cannot tell one
 * from another. The spectrum of each matrix becomes a random one's, which a trained one's is not: that is learnt too, and goes.
 *
 * F32, F16 and BF16 stay what they are; quantised matrices become F16, several times as large. Reads twice and writes once, tensor by tensor, in
 * memory that does not depend on the model. The file carries the seed as `trimtab.untrained.seed`, and ", untrained" after its name.
 *
 * @throws unsupported for a model split over several files; bad-input if it holds no weight matrix or would overwrite its source; not-found, io, aborted
 */
export async function writeUntrainedCopy(
  sourcePath: string,
  outPath: string,
  { seed = 0, signal }: UntrainedCopyOptions = {},
): Promise<UntrainedCopy> {
  const random = seededRandom(seed);
  checkNotAborted(signal);
  const header = await readGgufHeader(sourcePath);
  await checkPaths(sourcePath, outPath, header);
  const tensors = header.tensors.map((info) => ({
    info,
    typeName: isWeight(info) ? toFloatType(info) : info.typeName,
  }));
  if (!header.tensors.some(isWeight))
    throw mismatch(
      "bad-input",
      sourcePath,
      "a model with weight matrices",
      `${tensors.length} tensors, none of them one`,
    );
  const file = await openRegularFile(sourcePath);
  const report = { redrawn: [] as string[], drawnFromShape: [] as string[], kept: [] as string[] };
  const source = { file, path: sourcePath, header, signal };

  async function* content(): AsyncGenerator<Uint8Array> {
    yield formatGgufStart({
      metadata: await toMetadata(source, seed),
      tensors: tensors.map(({ info, typeName }) => ({ name: info.name, dims: info.dims, typeName })),
      alignment: header.alignment,
    });
    for (const { info, typeName } of tensors) {
      let written = 0;
      for await (const piece of isWeight(info) ? redraw(info, typeName) : readPieces(source, info)) {
        written += piece.length;
        yield piece;
      }
      if (!isWeight(info)) report.kept.push(info.name);
      yield ggufPadding(written, header.alignment);
    }
  }

  async function* redraw(info: GgufTensorInfo, typeName: string): AsyncGenerator<Uint8Array> {
    const measured = await measureDeviation(source, info);
    (measured === undefined ? report.drawnFromShape : report.redrawn).push(info.name);
    // A stream of its own for each tensor: what it gets does not depend on the size of the others.
    const draws = seededRandom(random.integer(2 ** 32));
    yield* drawPieces(info, typeName, measured ?? 1 / Math.sqrt(info.dims[0] as number), draws, signal);
  }

  try {
    await writeFileAtomic(outPath, content(), { signal });
  } finally {
    await file.handle.close();
  }
  return report;
}

interface Source {
  readonly file: OpenFile;
  readonly path: string;
  readonly header: GgufHeader;
  readonly signal: AbortSignal | undefined;
}

async function checkPaths(sourcePath: string, outPath: string, header: GgufHeader): Promise<void> {
  const count = header.metadata.get("split.count");
  if (parseSplitName(basename(sourcePath)) || (count && Number(count.value) > 1))
    throw mismatch("unsupported", sourcePath, "a model in one file", "a part of a split one", {
      hint: "join the parts first: llama-gguf-split --merge FIRST_PART JOINED.gguf",
    });
  if ((await realPathIfThere(outPath)) === (await realpath(sourcePath)))
    throw mismatch("bad-input", outPath, "another file than the model itself", "the same");
}

async function realPathIfThere(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new TrimtabError("io", `${path}: cannot be looked up`, { cause: error });
  }
}

/** Two dimensions or more that are more than one number long, by llama.cpp's name for what a product is taken with. */
function isWeight({ name, dims }: GgufTensorInfo): boolean {
  return name.endsWith(".weight") && dims.filter((size) => size > 1).length > 1;
}

function toFloatType({ typeName }: GgufTensorInfo): "F32" | "F16" | "BF16" {
  return typeName === "F32" || typeName === "BF16" ? typeName : "F16";
}

/** Keys as they stand in the file, but for the name, the file type of what was quantised, and the seed. */
async function toMetadata(
  { file, path, header, signal }: Source,
  seed: number,
): Promise<Map<string, GgufValue | Uint8Array>> {
  const metadata = new Map<string, GgufValue | Uint8Array>();
  for (const [key, [start, end]] of header.keyRanges) {
    const bytes = new Uint8Array(end - start);
    await readExactly(file, path, bytes, start, signal);
    metadata.set(key, bytes);
  }
  const name = ggufString(header, "general.name") ?? basename(path, ".gguf");
  metadata.set("general.name", { type: "string", value: `${name}, untrained` });
  metadata.set("trimtab.untrained.seed", { type: "u64", value: BigInt(seed) });
  const isQuantised = header.tensors.some((info) => isWeight(info) && !["F32", "F16", "BF16"].includes(info.typeName));
  if (isQuantised && header.metadata.has("general.file_type"))
    metadata.set("general.file_type", { type: "u32", value: 1 }); // llama.cpp's number for "mostly F16"
  return metadata;
}

/** The tensor's bytes, in pieces of whole blocks. */
async function* readPieces({ file, path, header, signal }: Source, info: GgufTensorInfo): AsyncGenerator<Uint8Array> {
  const { blockSize, blockBytes } = ggmlTypes.get(info.type) as { blockSize: number; blockBytes: number };
  const step = Math.max(1, Math.floor(pieceNumbers / blockSize)) * blockBytes;
  for (let start = 0; start < info.sizeBytes; start += step) {
    checkNotAborted(signal);
    const bytes = new Uint8Array(Math.min(step, info.sizeBytes - start));
    await readExactly(file, path, bytes, header.dataOffset + info.offset + start, signal);
    yield bytes;
  }
}

/** Standard deviation of a tensor's numbers about their mean; undefined if its type is not read here. */
async function measureDeviation(source: Source, info: GgufTensorInfo): Promise<number | undefined> {
  let [n, mean, squares] = [0, 0, 0];
  for await (const bytes of readPieces(source, info)) {
    const numbers = toGgufNumbers(bytes, info.typeName);
    if (!numbers) return undefined;
    for (const value of numbers) {
      n++;
      const shift = value - mean;
      mean += shift / n;
      squares += shift * (value - mean);
    }
  }
  const deviation = Math.sqrt(squares / n);
  if (!Number.isFinite(deviation))
    throw mismatch("bad-input", `${source.path}: tensor ${JSON.stringify(info.name)}`, "finite numbers", "others");
  return deviation;
}

async function* drawPieces(
  { dims }: GgufTensorInfo,
  typeName: string,
  deviation: number,
  random: Random,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const total = dims.reduce((a, b) => a * b, 1);
  for (let start = 0; start < total; start += pieceNumbers) {
    checkNotAborted(signal);
    const numbers = new Float32Array(Math.min(pieceNumbers, total - start));
    for (let i = 0; i < numbers.length; i++) numbers[i] = deviation * random.normal();
    if (typeName === "F32") yield new Uint8Array(numbers.buffer);
    else yield typeName === "BF16" ? floatsToBfloats(numbers) : floatsToHalves(numbers);
    // Drawing is all arithmetic: without a turn of the event loop no signal would ever arrive.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
