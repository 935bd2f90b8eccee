import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { demoData, openReference, residPost, writeVector } from "../../src/index.ts";

const main = resolve("dist/src/cli/main.js");
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trimtab-process-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Started {
  readonly child: ChildProcess;
  /** Fulfilled once stderr holds these words; rejected if it ends without them. */
  said(words: string): Promise<void>;
  readonly ended: Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }>;
}

function start(...argv: string[]): Started {
  const child = spawn(process.execPath, [main, ...argv], { stdio: "pipe" });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk) => {
      texts[name] += String(chunk);
    });
  const ended = once(child, "close").then(([status]) => ({ status: Number(status), ...texts }));
  const said = (words: string) =>
    new Promise<void>((resolved, rejected) => {
      const look = () => texts.stderr.includes(words) && resolved();
      child.stderr.on("data", look);
      look();
      void ended.then(() => rejected(new Error(`ended without saying ${words}: ${texts.stderr}`)));
    });
  return { child, said, ended };
}

const longFit = () =>
  start(
    "fit",
    "demo:s",
    "demo:m",
    "--corpus",
    demoData("corpus.jsonl.gz"),
    "--max-rows",
    "1000000",
    "--threads",
    "1",
    "-o",
    join(folder, "map.safetensors"),
  );

/** A vector that steers demo:m at layer 2 along one dimension. */
async function writeAxis(): Promise<string> {
  await using model = await openReference("demo:m", { threads: 1 });
  const path = join(folder, "axis.gguf");
  const vector = new Float32Array(model.description.width);
  vector[0] = 1;
  await writeVector(path, {
    directions: [{ site: residPost(2), vector, medianNorm: undefined }],
    provenance: {
      kind: "imported",
      model: undefined,
      modelHint: "llama",
      method: "one dimension",
      concept: undefined,
      pairs: undefined,
      readAt: undefined,
      seed: undefined,
      trimtab: "",
    },
  });
  return path;
}

describe("the program as a process", () => {
  test("ends with the status of the error and says it on stderr", async () => {
    expect(await start("--version").ended).toMatchObject({ status: 0, stderr: "" });
    expect(await start("inspect", join(folder, "none.gguf")).ended).toMatchObject({ status: 4, stdout: "" });
    expect((await start("inspct").ended).status).toBe(2);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("ends at %s with 130 and leaves nothing behind", async (signal) => {
    const { child, said, ended } = longFit();
    await said("fitting layers");
    child.kill(signal);
    const { status, stdout } = await ended;
    expect([status, stdout]).toEqual([130, ""]);
    expect(await readdir(folder)).toEqual([]);
  });

  test("stops writing text at SIGINT", async () => {
    const { child, ended } = start(
      "steer",
      "demo:m",
      "-v",
      `${await writeAxis()}=1`,
      "Once",
      "-n",
      "200",
      "--threads",
      "1",
      "--temperature",
      "0",
    );
    child.stdout!.once("data", () => child.kill("SIGINT"));
    const { status, stderr } = await ended;
    expect(status).toBe(130);
    expect(stderr).toContain("trimtab: interrupted");
  });

  test("is quiet when the reader of its output goes away", async () => {
    const { child, ended } = start(
      "steer",
      "demo:m",
      "-v",
      `${await writeAxis()}=1`,
      "Once",
      "-n",
      "200",
      "--threads",
      "1",
      "--quiet",
    );
    child.stdout!.once("data", () => child.stdout!.destroy());
    const { status, stderr } = await ended;
    expect(status).toBe(0);
    expect(stderr).not.toMatch(/EPIPE|interrupted|^ {2,}at /m);
  });
});
