import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { mismatch, TrimtabError } from "../errors.ts";

/** Which build of the engine: by what it computes on. `auto` takes the best that is installed. */
export type Variant = "auto" | "cpu" | "cuda" | "vulkan" | "metal";

/** The version of `@node-llama-cpp/*` whose libraries the struct layouts in native/ describe. */
export const enginePackageVersion = "3.22.1";

/** What `llama_version()` answers in that release: everything else is refused, because structs are passed by value. */
export const engineRelease = "0.5.0";

export interface EngineLibrary {
  /** Folder that holds libllama, libggml, libggml-base and the backends. */
  readonly folder: string;
  /** The npm package it came from, or `TRIMTAB_LLAMA_DIR`. */
  readonly origin: string;
  readonly variant: Exclude<Variant, "auto">;
}

export interface LibraryEnvironment {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const here = createRequire(import.meta.url);

/** This process's platform and environment, the default of the functions below. */
export function currentEnvironment(): LibraryEnvironment {
  return { platform: process.platform, arch: process.arch, env: process.env };
}

/**
 * Names the npm packages that could serve this platform, best first: GPU builds before the CPU build that is installed by default.
 *
 * @throws unsupported on a platform for which no build is published
 */
export function enginePackages(
  variant: Variant = "auto",
  { platform, arch }: Pick<LibraryEnvironment, "platform" | "arch"> = currentEnvironment(),
): readonly { readonly name: string; readonly variant: EngineLibrary["variant"] }[] {
  const system = platform === "darwin" ? "mac" : platform === "win32" ? "win" : platform;
  const base = `${system}-${arch}`;
  const known: Record<string, readonly EngineLibrary["variant"][]> = {
    "linux-x64": ["cuda", "vulkan", "cpu"],
    "linux-arm64": ["cpu"],
    "mac-arm64": ["metal"],
    "mac-x64": ["cpu"],
    "win-x64": ["cuda", "vulkan", "cpu"],
    "win-arm64": ["cpu"],
  };
  const variants = known[base];
  if (!variants)
    throw mismatch("unsupported", "engine", `a platform of ${Object.keys(known).join(", ")}`, base, {
      hint: "build llama.cpp v0.5.0 yourself and point TRIMTAB_LLAMA_DIR at the folder of its libraries",
    });
  // Metal is the only build for Apple silicon; it computes on the CPU as well when no layer is given to the GPU.
  const wanted = variants.filter((v) => variant === "auto" || v === variant || (variant === "cpu" && v === "metal"));
  return wanted.map((v) => ({ name: `@node-llama-cpp/${v === "cpu" ? base : `${base}-${v}`}`, variant: v }));
}

/**
 * Finds the folder of the engine's libraries: `TRIMTAB_LLAMA_DIR` if it is set, else the best installed npm package.
 *
 * @throws not-found if none is installed, naming the package to install
 * @throws unsupported on a platform without a build
 */
export function resolveLibrary(
  variant: Variant = "auto",
  environment: LibraryEnvironment = currentEnvironment(),
): EngineLibrary {
  const own = environment.env["TRIMTAB_LLAMA_DIR"];
  if (own) {
    libraryFile(own, "llama", environment.platform);
    return { folder: own, origin: "TRIMTAB_LLAMA_DIR", variant: variant === "auto" ? "cpu" : variant };
  }
  const packages = enginePackages(variant, environment);
  for (const { name, variant: found } of packages) {
    const folder = packageFolder(name);
    if (folder) return { folder, origin: name, variant: found };
  }
  const name = packages.at(-1)?.name ?? `@node-llama-cpp/${environment.platform}-${environment.arch}-${variant}`;
  throw mismatch("not-found", "engine", `the package ${name}@${enginePackageVersion}`, "nothing installed", {
    hint: `npm install ${name}@${enginePackageVersion}`,
  });
}

/** Folder of the libraries in an installed package, or undefined. */
function packageFolder(name: string): string | undefined {
  let entry: string;
  try {
    entry = here.resolve(name);
  } catch {
    return undefined;
  }
  const bins = join(dirname(entry), "..", "bins");
  if (!existsSync(bins)) return undefined;
  const platform = process.platform;
  return readdirSync(bins)
    .map((folder) => join(bins, folder))
    .find((folder) => findLibraryFile(folder, "llama", platform) !== undefined);
}

/**
 * Path of one of the libraries in a folder, whatever version its name carries (`libllama.so`, `libllama.v0.5.0.so`, `llama.dll`).
 *
 * @throws not-found if the folder does not hold it
 */
export function libraryFile(
  folder: string,
  stem: "llama" | "ggml" | "ggml-base",
  platform: NodeJS.Platform = process.platform,
): string {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const found = isFolder ? findLibraryFile(folder, stem, platform) : undefined;
  if (found) return found;
  throw new TrimtabError("not-found", `engine: expected a library "${stem}" in ${folder}, found none`, {
    hint: `TRIMTAB_LLAMA_DIR must name the folder of llama.cpp v${engineRelease}'s shared libraries`,
  });
}

function findLibraryFile(folder: string, stem: string, platform: NodeJS.Platform): string | undefined {
  const ending = platform === "win32" ? "dll" : platform === "darwin" ? "dylib" : "so";
  const prefix = platform === "win32" ? "(?:lib)?" : "lib";
  const name = new RegExp(`^${prefix}${stem}(?:[.-]?v?\\d[\\d.]*)?\\.${ending}(?:\\.[\\d.]+)?$`);
  const files = readdirSync(folder).filter((file) => name.test(file));
  // The plain name first: `libllama.so` is a link to the versioned file in a user's own build.
  const file = files.sort((a, b) => a.length - b.length)[0];
  return file && join(folder, file);
}
