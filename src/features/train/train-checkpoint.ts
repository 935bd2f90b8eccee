import { mismatch, TrimtabError } from "../../errors.ts";
import { openLock } from "../../formats/open-lock.ts";
import { readSafetensors, type Safetensors, type Tensor, writeSafetensors } from "../../formats/safetensors.ts";
import { removeTemporaries } from "../../formats/write-file.ts";
import type { CheckpointOptions } from "../../maps/collect/checkpoint.ts";
import { type Block, blockDigest } from "./blocks.ts";
import { createParameters, type Parameters, parameterNames } from "./parameters.ts";
import type { RowSource } from "./row-source.ts";
import type { TrainSettings } from "./settings.ts";
import type { TrainingState } from "./training-state.ts";

/** A training's save file. Disposing of it lets others open it; the file stays. */
export interface TrainCheckpoint extends AsyncDisposable {
  /** What an earlier run left; undefined for a fresh start. */
  readonly start: TrainingState | undefined;
  /** Checks that the first block read again is the one that was trained on. @throws incompatible */
  checkRows(block: Block): void;
  /** Saves if it is time to. */
  save(state: TrainingState, block: Block): Promise<void>;
  saveNow(state: TrainingState, block: Block): Promise<void>;
}

const format = "trimtab-sae-training";
const version = "1";
const defaultEveryMs = 60_000;
/** Saving takes at most one part in so many of the time, unless a pause is asked for. */
const share = 20;
const startAnew = "delete it to start anew";
const groups = ["parameters", "first", "second"] as const;

/**
 * Opens the save file of a training: reads what is there, and from then on saves at most every so often. Without options nothing is saved.
 *
 * @throws bad-input for a file that is no sound checkpoint; incompatible, naming what differs, for one of other settings or rows, or while
 * another process has it open; io
 */
export async function openTrainCheckpoint(
  options: CheckpointOptions | undefined,
  asked: TrainSettings,
  source: RowSource,
): Promise<TrainCheckpoint> {
  const nothing = async (): Promise<void> => undefined;
  if (!options)
    return {
      start: undefined,
      checkRows: () => undefined,
      save: nothing,
      saveNow: nothing,
      [Symbol.asyncDispose]: nothing,
    };
  const { path, everyMs, clock } = options;
  if (everyMs !== undefined && !(everyMs >= 0))
    throw mismatch("bad-input", "checkpoint", "a pause of at least 0 ms", String(everyMs));
  const lock = await openLock(path);
  await removeTemporaries(path);
  const found = await readIfThere(path, asked, source).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  let [last, took] = [clock(), 0];
  let expected = found?.digest;
  let digest: { readonly of: Float32Array; readonly sha256: string } | undefined;
  async function saveNow(state: TrainingState, block: Block): Promise<void> {
    const before = clock();
    if (digest?.of !== block.rows) digest = { of: block.rows, sha256: blockDigest(block) };
    await writeState(path, state, { asked, source, digest: digest.sha256 });
    last = clock();
    took = last - before;
  }
  return {
    start: found?.state,
    [Symbol.asyncDispose]: lock.release,
    checkRows(block) {
      if (expected === undefined) return;
      digest = { of: block.rows, sha256: blockDigest(block) };
      if (digest.sha256 !== expected)
        throw mismatch("incompatible", path, "a checkpoint of these rows", "one of other rows", {
          hint: `the text, the model or the number of threads changed; ${startAnew}`,
        });
      expected = undefined;
    },
    async save(state, block) {
      if (clock() - last >= (everyMs ?? Math.max(defaultEveryMs, share * took))) await saveNow(state, block);
    },
    saveNow,
  };
}

interface Identity {
  readonly asked: TrainSettings;
  readonly source: RowSource;
  readonly digest: string;
}

async function writeState(path: string, state: TrainingState, { asked, source, digest }: Identity): Promise<void> {
  const tensors = new Map<string, Tensor>([["idle", toTensor(state.idle)]]);
  const of = { parameters: state.parameters, first: state.moments.first, second: state.moments.second };
  for (const group of groups)
    for (const name of parameterNames) tensors.set(`${group}.${name}`, toTensor(of[group][name]));
  const { settings, inputScale, variance, totalRows, step, epoch, block, firstChunk, used, sums, history } = state;
  const standing = {
    steps: settings.steps,
    inputScale,
    variance,
    totalRows,
    step,
    epoch,
    block,
    firstChunk,
    used,
    digest,
  };
  const metadata = new Map([
    ["format", format],
    ["version", version],
    ["settings", JSON.stringify(asked)],
    ["source", JSON.stringify(sourceFacts(source))],
    ["standing", JSON.stringify(standing)],
    ["history", JSON.stringify({ sums, lines: history })],
  ]);
  await writeSafetensors(path, tensors, metadata);
}

function toTensor(data: Float64Array): Tensor {
  return { shape: [data.length], data };
}

function sourceFacts({ name, width, model, facts }: RowSource): Record<string, unknown> {
  return { name, width, ...facts, ...(model && { model: model.sha256, site: model.site }) };
}

async function readIfThere(
  path: string,
  asked: TrainSettings,
  source: RowSource,
): Promise<{ readonly state: TrainingState; readonly digest: string } | undefined> {
  const file = await readSafetensors(path).catch((error: unknown) => {
    if (!(error instanceof TrimtabError)) throw error;
    if (error.code === "not-found") return undefined;
    if (error.code !== "bad-input" && error.code !== "unsupported") throw error;
    throw new TrimtabError(error.code, error.message, { hint: startAnew, cause: error });
  });
  if (!file) return undefined;
  if (file.metadata.get("format") !== format)
    throw mismatch("bad-input", path, "a checkpoint of a training", file.metadata.get("format") ?? "another file", {
      hint: "move it away, or write the autoencoder elsewhere",
    });
  if (file.metadata.get("version") !== version)
    throw mismatch("unsupported", path, `version ${version}`, `version ${file.metadata.get("version")?.slice(0, 20)}`, {
      hint: startAnew,
    });
  checkSame(path, "settings", asked, parseObject(path, file, "settings"));
  checkSame(path, "source", sourceFacts(source), parseObject(path, file, "source"));
  return readState(path, file, asked, source.width);
}

/** Names the first thing in which a checkpoint differs from what was asked for. */
function checkSame(path: string, what: string, asked: object, found: Readonly<Record<string, unknown>>): void {
  // As JSON has it: undefined fields are not there.
  const now = JSON.parse(JSON.stringify(asked)) as Record<string, unknown>;
  for (const key of new Set([...Object.keys(now), ...Object.keys(found)])) {
    const [is, was] = [JSON.stringify(now[key]), JSON.stringify(found[key])];
    if (is !== was)
      throw mismatch("incompatible", path, `a checkpoint with ${key} ${show(is)}`, `one with ${key} ${show(was)}`, {
        hint: `use the same ${what} to go on, or ${startAnew}`,
      });
  }
}

function show(value: string | undefined): string {
  return value === undefined ? "by default" : value.slice(0, 60);
}

function parseObject(path: string, { metadata }: Safetensors, name: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(metadata.get(name) ?? "");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw damaged(path, name, cause);
  }
  throw damaged(path, name);
}

function damaged(path: string, name: string, cause?: unknown): TrimtabError {
  return mismatch("bad-input", path, `a sound ${name} in the checkpoint`, "a damaged one", { hint: startAnew, cause });
}

function readState(
  path: string,
  file: Safetensors,
  asked: TrainSettings,
  width: number,
): { readonly state: TrainingState; readonly digest: string } {
  const standing = parseObject(path, file, "standing");
  const number = (name: string): number => {
    const value = standing[name];
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw damaged(path, name);
    return value;
  };
  const whole = (name: string): number => {
    const value = number(name);
    if (!Number.isSafeInteger(value)) throw damaged(path, name);
    return value;
  };
  const { digest } = standing;
  if (typeof digest !== "string" || !/^[0-9a-f]{64}$/.test(digest)) throw damaged(path, "digest");
  const take = (name: string, into: Float64Array): Float64Array => {
    const data = file.tensors.get(name)?.data;
    if (!(data instanceof Float64Array) || data.length !== into.length || !data.every(Number.isFinite))
      throw damaged(path, name);
    return data;
  };
  const group = (name: string): Parameters => {
    const shape = createParameters(asked, width);
    return Object.fromEntries(
      parameterNames.map((part) => [part, take(`${name}.${part}`, shape[part])]),
    ) as unknown as Parameters;
  };
  const [steps, step] = [whole("steps"), whole("step")];
  const scale = number("inputScale");
  const variance = number("variance");
  if (steps < 1 || step > steps || scale === 0 || variance === 0) throw damaged(path, "standing");
  const state: TrainingState = {
    settings: { ...asked, steps },
    inputScale: scale,
    variance,
    totalRows: whole("totalRows"),
    parameters: group("parameters"),
    moments: { first: group("first"), second: group("second") },
    step,
    idle: take("idle", new Float64Array(asked.features)),
    epoch: whole("epoch"),
    block: whole("block"),
    firstChunk: whole("firstChunk"),
    used: whole("used"),
    ...parseHistory(path, file),
  };
  return { state, digest };
}

/** Lines are shown and kept, never computed with: that they are numbers is all that matters. */
function parseHistory(path: string, file: Safetensors): Pick<TrainingState, "sums" | "history"> {
  const { sums, lines } = parseObject(path, file, "history");
  const areNumbers = (value: unknown, names: readonly string[]): boolean =>
    typeof value === "object" &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === "number");
  const isSound =
    areNumbers(sums, ["loss", "explained", "l0", "steps"]) &&
    Array.isArray(lines) &&
    lines.length <= 10_000 &&
    lines.every((line) => areNumbers(line, ["step", "rows", "loss", "explained", "l0", "dead"]));
  if (!isSound) throw damaged(path, "history");
  return { sums: sums as TrainingState["sums"], history: lines as TrainingState["history"] };
}
