import { type ChildProcess, spawn } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveModel } from "../../src/models/resolve-model.ts";
import { digestOf, fakeGguf, HubServer, sendRange, sha256 } from "./hub-server.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const bytes = fakeGguf(2_000_000);
const child = resolve("dist/test/models/fetch-child.js");
let hub: HubServer;
let home = "";
beforeEach(async () => {
  hub = (await HubServer.open()).put("a.gguf", bytes);
  home = await temporaryFolder();
});
afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

const blobs = () => join(home, "hub", "models--owner--repo", "blobs");
const environment = () => ({ PATH: process.env["PATH"], HF_ENDPOINT: hub.endpoint, HF_HOME: home });
const start = (shell?: string): ChildProcess =>
  shell === undefined
    ? spawn(process.execPath, [child, "hf:owner/repo/a.gguf"], { env: environment() })
    : spawn("sh", ["-c", `${shell}; exec "$0" "$@"`, process.execPath, child, "hf:owner/repo/a.gguf"], {
        env: environment(),
      });
const answer = async (process: ChildProcess) => JSON.parse(await text(process.stdout!)) as Record<string, string>;

/** Lets the first fetch hang after 500 kB; the promise gives its response. */
function holdFirst(): Promise<ServerResponse> {
  return new Promise((held) => {
    hub.intercept = ({ route }, response, times) => {
      if (route !== "cdn" || times > 0) return false;
      response.writeHead(200, { "Content-Length": bytes.length });
      response.write(bytes.subarray(0, 500_000), () => held(response));
      return true;
    };
  });
}

describe("resolveModel(hf:…) in several processes", () => {
  test("fetches a file once: the second waits for the first and both have it whole", async () => {
    const held = holdFirst();
    const first = start();
    const response = await held;
    const second = start();
    // The second says on stderr that it waits; only then is the first let go on.
    // Listening goes on after that: leaving a stream by `break` would close it under the child.
    await new Promise<void>((heard) => {
      second.stderr!.on("data", (chunk) => {
        if (String(chunk).includes("wait")) heard();
      });
    });
    response.end(bytes.subarray(500_000));
    const [one, two] = await Promise.all([answer(first), answer(second)]);
    expect(one["path"]).toBeDefined();
    expect(two).toEqual(one);
    expect(await digestOf(one["path"]!)).toBe(sha256(bytes));
    expect(hub.count("cdn")).toBe(1);
    expect(await readdir(blobs())).toEqual([sha256(bytes)]);
  });

  test("two calls at the same moment in one process agree as well", async () => {
    const options = { env: environment(), pauseMs: 1 };
    const [one, two] = await Promise.all([
      resolveModel("hf:owner/repo/a.gguf", options),
      resolveModel("hf:owner/repo/a.gguf", options),
    ]);
    expect(one.path).toBe(two.path);
    expect(await digestOf(one.path)).toBe(sha256(bytes));
    expect(await readdir(blobs())).toEqual([sha256(bytes)]);
  });

  test("goes on where a killed process stopped", async () => {
    const held = holdFirst();
    const first = start();
    await held;
    // Progress on stderr says that bytes are written.
    for await (const chunk of first.stderr!) if (String(chunk).includes("download")) break;
    const ended = new Promise((done) => first.once("exit", done));
    first.kill("SIGKILL");
    await ended;
    const { path } = await answer(start());
    expect(await digestOf(path!)).toBe(sha256(bytes));
    expect(hub.seen.at(-1)?.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await readdir(blobs())).toEqual([sha256(bytes)]);
  });

  test("a disk that fills up is an io error with a hint; the rest is fetched later", async () => {
    hub.intercept = ({ route, range }, response) => {
      if (route === "cdn") sendRange({ headers: { range } }, response, bytes);
      return route === "cdn";
    };
    // A limit on file size (in blocks of 512 bytes) stands for the full disk: writes fail part-way in the same manner.
    const error = await answer(start("ulimit -f 1000"));
    expect(error["code"]).toBe("io");
    expect(error["message"]).toContain("got a full disk");
    expect(error["hint"]).toContain("HF_HOME");
    expect(await readdir(blobs())).toEqual([`${sha256(bytes)}.trimtab.incomplete`]);
    const { path } = await answer(start());
    expect(await digestOf(path!)).toBe(sha256(bytes));
    expect(hub.seen.at(-1)?.range).toBe("bytes=512000-");
  });
});
