import { mismatch } from "../errors.ts";
import { type GgufHeader, type GgufTensorInfo, readGgufHeader } from "../formats/gguf.ts";
import { readGgufTensor } from "../formats/gguf-tensor.ts";
import { ggufString } from "../formats/gguf-value.ts";

/** A low-rank adapter (LoRA) that a model is opened with. */
export interface LoraChoice {
  /** A GGUF file as llama.cpp's `convert_lora_to_gguf.py` writes it. */
  readonly path: string;
  /** What its change of the weights is multiplied by; default 1. Not 0. */
  readonly scale?: number | undefined;
}

/** An adapter that an open model carries. */
export interface AdapterDescription {
  /** `general.name`, or the path. */
  readonly name: string;
  readonly path: string;
  readonly scale: number;
  /** `adapter.lora.alpha`; 0 where there is none, and A and B are taken as they are. */
  readonly alpha: number;
  /** The largest rank of its pairs. */
  readonly rank: number;
  /** Weights of the model that it changes. */
  readonly tensors: number;
  readonly sizeBytes: number;
}

/** More than any adapter's rank; a matrix that large is the weight itself. */
const maxRank = 4096;
/** Adapters of the largest models take a few gigabytes in F32. */
const maxBytes = 2 ** 34;
/** What the engine multiplies with on every device. */
const types = ["F32", "F16", "BF16", "Q8_0"];

/**
 * Checks that an adapter's file is one, for this model, before the engine sees it, and says what it is.
 *
 * The engine ends the process for a key of the wrong type, and for shapes that it does not look at before it multiplies. So: type `adapter`,
 * kind `lora`, the model's architecture; pairs `NAME.lora_a` `[in, rank]` and `NAME.lora_b` `[rank, out]` (dimensions as GGUF lists them)
 * for weights NAME of the model; finite numbers in F32 and F16. Of an embedding both are the other way round, `[rank, vocabulary]` and `[rank, width]`, and
 * the model must have an output head of its own. W becomes W + scale · alpha / rank · B A.
 *
 * @param model - headers of all the model's files
 * @throws not-found, io; bad-input for another kind of file or numbers that are not finite; incompatible with another model's; unsupported
 * for what the engine would leave out in silence (gains of norms, adapters that words switch on)
 * @see Hu et al., arXiv 2106.09685
 */
export async function checkAdapter(
  { path, scale = 1 }: LoraChoice,
  model: readonly Pick<GgufHeader, "metadata" | "tensors">[],
): Promise<AdapterDescription> {
  if (!Number.isFinite(scale) || scale === 0)
    throw mismatch("bad-input", `${path}: scale`, "a finite number other than 0", String(scale), {
      hint: "open the model without the adapter instead",
    });
  const header = await readGgufHeader(path);
  const alpha = checkKeys(path, header, ggufString(model[0]!, "general.architecture"));
  const pairs = toPairs(path, header);
  const weights = new Map(model.flatMap(({ tensors }) => tensors.map((tensor) => [tensor.name, tensor] as const)));
  let rank = 0;
  for (const [name, { a, b }] of pairs) {
    rank = Math.max(rank, checkShapes(path, name, { a, b, weight: weights.get(name) }));
    if (name === "token_embd.weight" && !weights.has("output.weight"))
      throw mismatch(
        "unsupported",
        `${path}: ${name}`,
        "a model with an output head of its own",
        "one that shares it",
        {
          hint: "the engine would multiply the head by the embedding's change, which has other shapes",
        },
      );
  }
  for (const { name, typeName } of header.tensors) {
    if (typeName !== "F32" && typeName !== "F16") continue;
    const bad = (await readGgufTensor(path, header, name)).find((value) => !Number.isFinite(value));
    if (bad !== undefined) throw mismatch("bad-input", `${path}: ${name}`, "finite numbers", String(bad));
  }
  const sizeBytes = header.fileSizeBytes;
  return { name: ggufString(header, "general.name") ?? path, path, scale, alpha, rank, tensors: pairs.size, sizeBytes };
}

/** Checks type, kind and architecture; returns alpha. */
function checkKeys(path: string, header: GgufHeader, architecture: string | undefined): number {
  const word = (key: string): string | undefined => {
    const entry = header.metadata.get(key);
    if (entry !== undefined && entry.type !== "string")
      throw mismatch("bad-input", `${path}: ${key}`, "a string", entry.type);
    return ggufString(header, key);
  };
  const kind = word("general.type");
  if (kind !== "adapter")
    throw mismatch(
      "bad-input",
      path,
      'an adapter (general.type "adapter")',
      kind === undefined ? describe(header) : `"${kind}"`,
      {
        hint: "llama.cpp's convert_lora_to_gguf.py makes one from a PEFT adapter",
      },
    );
  const adapter = word("adapter.type");
  if (adapter !== "lora")
    throw mismatch("unsupported", `${path}: adapter.type`, '"lora"', JSON.stringify(adapter ?? "none"));
  const own = word("general.architecture");
  if (own !== architecture)
    throw mismatch("incompatible", path, `an adapter of architecture "${architecture}"`, `one of "${own ?? "none"}"`);
  for (const key of header.metadata.keys())
    if (key.startsWith("adapter.alora."))
      throw mismatch(
        "unsupported",
        path,
        "an adapter that always acts",
        "one that words of the text switch on (aLoRA)",
      );
  const alpha = header.metadata.get("adapter.lora.alpha");
  if (alpha === undefined) return 0;
  if (alpha.type !== "f32" || !Number.isFinite(alpha.value))
    throw mismatch(
      "bad-input",
      `${path}: adapter.lora.alpha`,
      "a finite f32",
      alpha.type === "f32" ? String(alpha.value) : alpha.type,
    );
  return alpha.value;
}

function describe(header: GgufHeader): string {
  const architecture = ggufString(header, "general.architecture");
  return architecture === undefined
    ? "a GGUF file of another kind"
    : `a model or file of architecture "${architecture}"`;
}

interface Pair {
  readonly a: GgufTensorInfo;
  readonly b: GgufTensorInfo;
}

/** The adapter's tensors two by two, by the weight that they change. */
function toPairs(path: string, header: GgufHeader): ReadonlyMap<string, Pair> {
  if (header.fileSizeBytes > maxBytes)
    throw mismatch("bad-input", path, `an adapter of at most ${maxBytes} bytes`, String(header.fileSizeBytes));
  const halves = new Map<string, Partial<Pair>>();
  for (const tensor of header.tensors) {
    const match = /^(.+)\.lora_([ab])$/.exec(tensor.name);
    if (!match)
      throw tensor.name.endsWith("_norm.weight")
        ? mismatch("unsupported", `${path}: ${tensor.name}`, "changes of matrices alone", "the gains of a norm", {
            hint: "the engine leaves these out; train the adapter without them",
          })
        : mismatch("bad-input", `${path}: tensor`, "NAME.lora_a and NAME.lora_b", JSON.stringify(tensor.name));
    if (!types.includes(tensor.typeName))
      throw mismatch("unsupported", `${path}: ${tensor.name}`, `a type of ${types.join(", ")}`, tensor.typeName);
    const name = match[1] as string;
    halves.set(name, { ...halves.get(name), [match[2] as string]: tensor });
  }
  if (halves.size === 0) throw mismatch("bad-input", path, "at least one pair of lora_a and lora_b", "none");
  const pairs = new Map<string, Pair>();
  for (const [name, { a, b }] of halves) {
    if (!a || !b)
      throw mismatch("bad-input", `${path}: ${name}`, "both lora_a and lora_b", `only lora_${a ? "a" : "b"}`);
    pairs.set(name, { a, b });
  }
  return pairs;
}

/** Checks one pair against the weight that it changes; returns its rank. */
function checkShapes(
  path: string,
  name: string,
  { a, b, weight }: Pair & { readonly weight: GgufTensorInfo | undefined },
): number {
  if (!weight)
    throw mismatch("incompatible", `${path}: ${name}`, "a weight of this model", "none of that name", {
      hint: "the adapter is of another model",
    });
  const isEmbedding = name === "token_embd.weight";
  const rank = a.dims[isEmbedding ? 0 : 1] ?? 0;
  if (rank < 1 || rank > maxRank)
    throw mismatch("bad-input", `${path}: ${name}`, `a rank from 1 to ${maxRank}`, `${rank}`);
  const [wide, out, ...experts] = weight.dims;
  const expected = isEmbedding
    ? { a: [rank, out, ...experts], b: [rank, wide, ...experts] }
    : { a: [wide, rank, ...experts], b: [rank, out, ...experts] };
  for (const [half, { dims }] of [
    ["a", a],
    ["b", b],
  ] as const)
    if (dims.join() !== expected[half].join())
      throw mismatch(
        "incompatible",
        `${path}: ${name}.lora_${half}`,
        `${expected[half].join(" × ")}, for a weight of ${weight.dims.join(" × ")}`,
        dims.join(" × "),
        { hint: "the adapter is of another model, or of another size of it" },
      );
  return rank;
}
