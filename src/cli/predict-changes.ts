import { basename } from "node:path";
import { mismatch } from "../errors.ts";
import {
  checkVectorFits,
  type EngineModel,
  type LoraChoice,
  type ModelChange,
  type OpenModel,
  parseVectorArgument,
  readVector,
  toAdditions,
} from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { parseLora } from "./lora-flag.ts";

/** The kinds of change that can be named, and how a value of each is written. */
export const changeKinds = {
  after: "MODEL, a fine-tune",
  lora: "FILE or FILE=SCALE, a low-rank adapter",
  vector: "FILE=STRENGTH, a steering vector",
  system: "TEXT, a system prompt",
  prefix: "TEXT, directly before every prompt",
} as const;

export type ChangeKind = keyof typeof changeKinds;

/** Opens a model of the command line, or the unchanged one with adapters. */
export type OpenChanged = (choice: { readonly reference?: string; readonly lora?: LoraChoice }) => Promise<EngineModel>;

interface ToChangeOptions {
  /** The flag that named it, for errors. */
  readonly flag: string;
  readonly open: OpenChanged;
  /** Hears what is allowed and worth saying. */
  readonly warn: (text: string) => void;
}

/** Makes a change of what the command line says of it. @throws usage, bad-input; not-found, io for a vector's file */
export async function toChange(
  kind: ChangeKind,
  value: string,
  { flag, open, warn }: ToChangeOptions,
): Promise<ModelChange> {
  if (kind === "after") return { description: `fine-tune ${basename(value)}`, open: () => open({ reference: value }) };
  if (kind === "lora") {
    const lora = parseLora(value, flag);
    const scale = lora.scale === undefined ? "" : ` × ${lora.scale}`;
    return { description: `adapter ${basename(lora.path)}${scale}`, open: () => open({ lora }) };
  }
  if (kind === "vector") {
    const { path, strength } = parseVectorArgument(value);
    const vector = await readVector(path);
    return {
      description: `vector ${basename(value)}`,
      steering: async (model: OpenModel) => {
        for (const text of checkVectorFits(vector, model.description, await model.sha256())) warn(text);
        return toAdditions(vector, { strength: strength.value, unit: strength.unit });
      },
    };
  }
  const shown = value.length > 60 ? `${value.slice(0, 59)}…` : value;
  return kind === "system"
    ? { description: `system prompt “${shown}”`, tell: { system: value } }
    : { description: `prefix “${shown}”`, tell: { prefix: value } };
}

/** The one change of the small model that a command line names. @throws usage for none or several */
export function readSmallChange(args: Arguments): {
  readonly kind: ChangeKind;
  readonly flag: string;
  readonly value: string;
} {
  const flags = {
    after: "small-after",
    lora: "small-lora",
    vector: "vector",
    system: "system",
    prefix: "prefix",
  } as const satisfies Record<ChangeKind, string>;
  const given = (Object.keys(flags) as ChangeKind[]).filter((kind) => args.isSet(flags[kind]));
  const [kind] = given;
  if (kind === undefined || given.length > 1)
    throw mismatch(
      "usage",
      "predict",
      "one change of the small model: --small-after, --small-lora, --vector, --system or --prefix",
      given.map((one) => `--${flags[one]}`).join(" and ") || "none",
    );
  return { kind, flag: `--${flags[kind]}`, value: args.text(flags[kind]) as string };
}

/** What is named as the truth of the large model; nothing where it is only to be predicted. @throws usage for what does not go together */
export function readTruthChange(
  args: Arguments,
  small: { readonly kind: ChangeKind; readonly flag: string; readonly value: string },
): { readonly kind: ChangeKind; readonly flag: string; readonly value: string } | undefined {
  const flags = { after: "large-after", lora: "large-lora", vector: "large-vector" } as const;
  const given = (Object.keys(flags) as (keyof typeof flags)[]).filter((kind) => args.isSet(flags[kind]));
  const isTold = small.kind === "system" || small.kind === "prefix";
  const [kind] = given;
  if (given.length > 1 || (kind !== undefined && (isTold || args.isSet("unscored"))))
    throw mismatch(
      "usage",
      "predict",
      isTold ? `${small.flag} alone: the large model is told the same` : "one truth at most",
      [...given.map((one) => `--${flags[one]}`), ...(args.isSet("unscored") ? ["--unscored"] : [])].join(" and "),
    );
  if (args.isSet("unscored")) return undefined;
  if (isTold) return small;
  return kind && { kind, flag: `--${flags[kind]}`, value: args.text(flags[kind]) as string };
}

/** `--unrelated KIND:VALUE`. @throws usage */
export function readUnrelated(
  args: Arguments,
): { readonly kind: ChangeKind; readonly flag: string; readonly value: string } | undefined {
  const text = args.text("unrelated");
  if (text === undefined) return undefined;
  const at = text.indexOf(":");
  const kind = (Object.keys(changeKinds) as ChangeKind[]).find((known) => known === text.slice(0, at));
  if (kind === undefined || at === text.length - 1)
    throw mismatch("usage", "--unrelated", `KIND:VALUE, KIND one of ${Object.keys(changeKinds).join(", ")}`, text, {
      hint: "such as lora:other.gguf or vector:dog.safetensors=0.5n",
    });
  return { kind, flag: "--unrelated", value: text.slice(at + 1) };
}
