import { mismatch } from "../errors.ts";
import { type DemoName, demoNames } from "./demo-family.ts";

/** A file on this disk. `path` is as it was written: relative, absolute or starting with `~`. */
export interface PathReference {
  readonly kind: "path";
  readonly path: string;
}

/** A GGUF file of a Hugging Face repository, named by its path, by its quantisation, or left to be the only one. */
export interface HubReference {
  readonly kind: "hub";
  /** `owner/name`. */
  readonly repo: string;
  /** Branch, tag, `refs/pr/N` or commit; undefined is `main`. */
  readonly revision: string | undefined;
  /** Path inside the repository. */
  readonly file: string | undefined;
  /** Such as `Q4_K_M`; picks the one file with that quantisation in its name. Never together with `file`. */
  readonly quantisation: string | undefined;
}

/** A member of the family that comes with the package. */
export interface DemoReference {
  readonly kind: "demo";
  readonly name: DemoName;
}

/** How a user names a model. Plain data; {@link formatReference} writes it back. */
export type ModelReference = PathReference | HubReference | DemoReference;

const forms = "a path, hf:owner/repo/file.gguf, hf:owner/repo, hf:owner/repo:Q4_K_M or demo:xs|s|m|xs1k";

/**
 * Reads a model reference.
 *
 * | text | means |
 * |---|---|
 * | `models/a.gguf`, `/data/a.gguf`, `~/a.gguf` | that file |
 * | `hf:owner/repo/sub/a.gguf` | that file of the repository on the Hugging Face Hub |
 * | `hf:owner/repo` | the repository's only GGUF model, an error that lists the choices if there are several |
 * | `hf:owner/repo:Q4_K_M` | the one model whose name says that quantisation |
 * | `hf:owner/repo@rev…` | the same at a branch, tag, commit or `refs/pr/N`; other slashes in a revision are written `%2F` |
 * | `demo:xs`, `demo:s`, `demo:m`, `demo:xs1k` | the models in the package |
 *
 * Only the text is looked at, not the disk and not the network.
 *
 * @throws usage if the text is empty, or starts with `hf:` or `demo:` and is not one of the forms above
 */
export function parseReference(text: string): ModelReference {
  if (text.trim() === "") throw mismatch("usage", "model", forms, "an empty text");
  if (text.includes("\0")) throw mismatch("usage", "model", forms, "a text with a NUL character");
  if (text.startsWith("demo:")) return parseDemo(text);
  if (text.startsWith("hf:")) return parseHub(text);
  return { kind: "path", path: text };
}

/** Writes a reference as {@link parseReference} reads it. */
export function formatReference(reference: ModelReference): string {
  if (reference.kind === "path") return reference.path;
  if (reference.kind === "demo") return `demo:${reference.name}`;
  const { repo, revision, file, quantisation } = reference;
  const at = revision === undefined ? "" : `@${specialRevision.test(revision) ? revision : encodeRevision(revision)}`;
  return `hf:${repo}${at}${file === undefined ? "" : `/${file}`}${quantisation === undefined ? "" : `:${quantisation}`}`;
}

function parseDemo(text: string): DemoReference {
  const name = demoNames.find((known) => known === text.slice("demo:".length));
  if (name === undefined)
    throw mismatch("usage", "model", "demo:xs, demo:s, demo:m or demo:xs1k", JSON.stringify(text));
  return { kind: "demo", name };
}

const namePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}$/;
const specialRevision = /^refs\/(?:pr|convert)\/[A-Za-z0-9_.-]+$/;
const encodeRevision = (revision: string) => encodeURIComponent(revision).replaceAll(":", "%3A");

function parseHub(text: string): HubReference {
  const wrong = (expected: string, got: string) =>
    mismatch("usage", text, expected, got, {
      hint: "hf:owner/repo/file.gguf names a file, hf:owner/repo:Q4_K_M picks one by its quantisation",
    });
  const [, owner, rest] = /^hf:([^/]*)(?:\/(.*))?$/s.exec(text) ?? [];
  if (owner === undefined || rest === undefined || rest === "")
    throw wrong("hf:owner/repo, with a slash between owner and repository", JSON.stringify(text));
  const [, repository, revisionText, tail] =
    /^([^/@:]+)(?:@(refs\/(?:pr|convert)\/[^/:]+|[^/:]*))?([/:].*)?$/s.exec(rest) ?? [];
  if (
    repository === undefined ||
    !namePattern.test(owner) ||
    !namePattern.test(repository) ||
    /--|\.\./.test(repository)
  )
    throw wrong("letters, digits, dots, dashes and underscores in owner and repository", JSON.stringify(text));
  const revision = revisionText === undefined ? undefined : decodeRevision(revisionText);
  if (revision === "" || revision?.split("/").includes(".."))
    throw wrong("a branch, tag or commit after @", JSON.stringify(revisionText));
  const base = { kind: "hub", repo: `${owner}/${repository}`, revision } as const;
  if (tail === undefined) return { ...base, file: undefined, quantisation: undefined };
  if (tail.startsWith(":")) {
    const quantisation = tail.slice(1);
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(quantisation))
      throw wrong("a quantisation such as Q4_K_M after the colon", JSON.stringify(quantisation));
    return { ...base, file: undefined, quantisation };
  }
  return { ...base, file: checkRepositoryPath(tail.slice(1), text), quantisation: undefined };
}

function decodeRevision(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw mismatch("usage", "revision", "text with %XX escapes", JSON.stringify(text), { cause });
  }
}

/**
 * Checks that a file's path inside a repository is relative, stays inside, and ends in `.gguf`; returns it. The path is joined to
 * the cache's folder later, so a repository must not be able to name a file outside it, under either system's rules.
 *
 * @throws usage otherwise
 */
export function checkRepositoryPath(path: string, where: string): string {
  const parts = path.split("/");
  const bad = parts.some(
    (part) => part === "" || part === "." || part === ".." || part.includes("\\") || part.includes(":"),
  );
  if (bad) throw mismatch("usage", where, "a path inside the repository", JSON.stringify(path));
  if (!path.toLowerCase().endsWith(".gguf"))
    throw mismatch("usage", where, "a file that ends in .gguf", JSON.stringify(path), {
      hint: "other formats must be converted to GGUF first, with llama.cpp's convert_hf_to_gguf.py",
    });
  return path;
}
