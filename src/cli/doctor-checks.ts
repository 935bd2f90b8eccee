import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { TrimtabError } from "../errors.ts";
import {
  type DemoName,
  demoModelPath,
  demoNames,
  type EngineInfo,
  enginePackages,
  enginePackageVersion,
  engineRelease,
  openReference,
  resolveHubSettings,
  resolveLibrary,
  type Variant,
} from "../index.ts";
import { checkLinalg } from "./doctor-linalg.ts";
import type { Effects } from "./effects.ts";
import { type Finding, toProblem } from "./finding.ts";
import { formatBytes } from "./units.ts";

/** Looks at everything that decides whether and how fast Trimtab works here. */
export async function examine(effects: Effects, variant: Variant): Promise<readonly Finding[]> {
  const engine = await tryEngine(effects, variant);
  return [
    checkNode(process.versions.node),
    { about: "platform", state: "good", found: `${process.platform}-${process.arch}` },
    checkLibrary(effects.env, variant),
    checkVariants(effects.env),
    checkEngine(engine),
    ...checkDevices(engine),
    ...checkNativeBuild(effects.env, variant),
    checkProcessor(),
    checkMemory(),
    ...checkLinalg(effects.env),
    checkDemoModels(),
    ...(await checkHub(effects.env)),
  ];
}

/** Node's version against the least that works. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const enough = major > 20 || (major === 20 && minor >= 19);
  if (enough) return { about: "Node.js", state: "good", found: version };
  return {
    about: "Node.js",
    state: "problem",
    found: version,
    advice: "install Node.js 20.19 or later from https://nodejs.org",
  };
}

function checkLibrary(env: Effects["env"], variant: Variant): Finding {
  try {
    const { folder, origin } = resolveLibrary(variant, { platform: process.platform, arch: process.arch, env });
    return { about: "engine library", state: "good", found: `${origin} in ${folder}` };
  } catch (error) {
    return toProblem("engine library", error);
  }
}

function checkVariants(env: Effects["env"]): Finding {
  const about = "engine builds";
  try {
    const own = { ...env, TRIMTAB_LLAMA_DIR: undefined };
    const places = enginePackages("auto").map(({ name, variant }) => {
      const installed = isInstalled(variant, own);
      return { name, installed, text: `${variant} ${installed ? "installed" : "not installed"}` };
    });
    const found = places.map(({ text }) => text).join(", ");
    const missing = places.filter(({ installed }) => !installed).map(({ name }) => name);
    if (missing.length === 0) return { about, state: "good", found };
    const advice = `if this machine has such a GPU: npm install ${missing[0]}@${enginePackageVersion}`;
    return { about, state: "good", found, advice };
  } catch (error) {
    return toProblem(about, error);
  }
}

function isInstalled(variant: Variant, env: Effects["env"]): boolean {
  try {
    resolveLibrary(variant, { platform: process.platform, arch: process.arch, env });
    return true;
  } catch (error) {
    if (error instanceof TrimtabError) return false;
    throw error;
  }
}

type Tried =
  | { readonly model: string; readonly info: EngineInfo; readonly tap: boolean; readonly steer: boolean }
  | { readonly error: unknown };

/** The proof of the engine is that it opens the smallest model of the package and passes the self-test with it. */
async function tryEngine(effects: Effects, variant: Variant): Promise<Tried> {
  const name = `demo:${demoNames.find(isPresent) ?? demoNames[0]}`;
  try {
    await using model = await openReference(name, { variant, env: effects.env, signal: effects.signal });
    const { tap, steer } = model.description.capabilities;
    return { model: name, info: model.engine, tap, steer };
  } catch (error) {
    if (effects.signal.aborted) throw error;
    return { error };
  }
}

function isPresent(name: DemoName): boolean {
  try {
    demoModelPath(name);
    return true;
  } catch (error) {
    if (error instanceof TrimtabError) return false;
    throw error;
  }
}

function checkEngine(tried: Tried): Finding {
  const about = `llama.cpp v${engineRelease}`;
  if ("error" in tried) return toProblem(about, tried.error);
  const found = `${tried.info.version} opens ${tried.model}`;
  if (tried.tap && tried.steer) return { about, state: "good", found: `${found}, reads and steers it` };
  const lacking = [tried.tap ? "" : "reading", tried.steer ? "" : "steering"].filter(Boolean).join(" and ");
  return {
    about,
    state: "problem",
    found: `${found}, but ${lacking} fails`,
    advice: `use llama.cpp v${engineRelease}`,
  };
}

function checkDevices(tried: Tried): Finding[] {
  if ("error" in tried) return [];
  const { devices, system } = tried.info;
  const shown = devices.map(({ name, description }) => (description ? `${name} (${description})` : name));
  return [
    { about: "devices", state: "good", found: shown.length > 0 ? shown.join(", ") : "CPU only" },
    { about: "instructions", state: "good", found: system.trim() || "not reported" },
  ];
}

function checkNativeBuild(env: Effects["env"], variant: Variant): Finding[] {
  const about = "native build";
  const own = env["TRIMTAB_LLAMA_DIR"];
  if (own) return [{ about, state: "good", found: `TRIMTAB_LLAMA_DIR=${own}` }];
  try {
    const library = resolveLibrary(variant, { platform: process.platform, arch: process.arch, env });
    if (library.variant !== "cpu") return [];
  } catch (error) {
    // No library at all is reported by its own line.
    if (error instanceof TrimtabError) return [];
    throw error;
  }
  return [
    {
      about,
      state: "good",
      found: "not used",
      // Measured on Zen 4, 2 threads, 134M parameters: prebuilt at 0.57 (F32), 0.54 (BF16), 1.2 (Q8_0) and 1.05 (Q4_K) of native.
      advice: `for F32 and BF16 models, llama.cpp v${engineRelease} compiled on this machine can be nearly twice as fast: set TRIMTAB_LLAMA_DIR to its libraries. For Q8_0 and Q4_K it gains nothing`,
    },
  ];
}

function checkProcessor(): Finding {
  const threads = availableParallelism();
  return { about: "processor", state: "good", found: `${threads} threads, ${cpus()[0]?.model.trim() ?? "unknown"}` };
}

function checkMemory(): Finding {
  return { about: "memory", state: "good", found: `${formatBytes(freemem())} free of ${formatBytes(totalmem())}` };
}

function checkDemoModels(): Finding {
  const about = "demo models";
  try {
    for (const name of demoNames) demoModelPath(name);
    return { about, state: "good", found: demoNames.map((name) => `demo:${name}`).join(", ") };
  } catch (error) {
    return { ...toProblem(about, error), state: "note" };
  }
}

const littleSpace = 5e9;

async function checkHub(env: Effects["env"]): Promise<Finding[]> {
  try {
    const { endpoint, cacheDir, token, offline } = resolveHubSettings(env);
    // The folder may not be there yet: the disk is that of the nearest one that is.
    let folder = cacheDir;
    while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const low = free < littleSpace;
    return [
      {
        about: "model cache",
        state: low ? "note" : "good",
        found: `${cacheDir}, ${formatBytes(free)} free`,
        advice: low ? "set HF_HOME to a folder on a larger disk before fetching models" : undefined,
      },
      {
        about: "Hugging Face",
        state: offline ? "note" : "good",
        found: `${endpoint}, ${token === undefined ? "no token" : "token set"}${offline ? ", offline" : ""}`,
        advice: offline ? "unset HF_HUB_OFFLINE to fetch models" : undefined,
      },
    ];
  } catch (error) {
    return [toProblem("Hugging Face", error)];
  }
}
