import { lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TrimtabError } from "../../src/errors.ts";
import type { DownloadProgress } from "../../src/models/hub-download.ts";
import { type ResolveOptions, resolveModel } from "../../src/models/resolve-model.ts";
import { commit, digestOf, fakeGguf, HubServer, sendRange, sendTruncated, sha256 } from "./hub-server.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const bytes = fakeGguf(300_000);
let hub: HubServer;
let home = "";
beforeEach(async () => {
  hub = await HubServer.open();
  home = await temporaryFolder();
});
afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

const root = () => join(home, "hub", "models--owner--repo");
const blob = () => join(root(), "blobs", sha256(bytes));
const snapshot = (name: string) => join(root(), "snapshots", commit, name);
const partial = () => `${blob()}.trimtab.incomplete`;
const resolve = (text: string, options: ResolveOptions = {}, env: Record<string, string> = {}) =>
  resolveModel(text, {
    env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home, ...env },
    pauseMs: 1,
    ...options,
  });
const fail = (text: string, options: ResolveOptions = {}, env: Record<string, string> = {}): Promise<TrimtabError> =>
  resolve(text, options, env).then(
    () => expect.unreachable(),
    (error: TrimtabError) => error,
  );
async function leavePartial(content: Uint8Array): Promise<void> {
  await mkdir(dirname(partial()), { recursive: true });
  await writeFile(partial(), content);
}

describe("resolveModel(hf:…) fetches", () => {
  test("a file into the layout of Python's huggingface_hub: blob, relative link, ref", async () => {
    hub.put("sub/a.gguf", bytes);
    const { path, files } = await resolve("hf:owner/repo/sub/a.gguf");
    expect(path).toBe(snapshot("sub/a.gguf"));
    expect(files).toEqual([path]);
    expect(await readlink(path)).toBe(join("..", "..", "..", "blobs", sha256(bytes)));
    expect(await digestOf(path)).toBe(sha256(bytes));
    expect(await readFile(join(root(), "refs", "main"), "utf8")).toBe(commit);
    expect(await readdir(join(root(), "blobs"))).toEqual([sha256(bytes)]);
  });

  test("nothing that is there already", async () => {
    hub.put("a.gguf", bytes);
    const { path } = await resolve("hf:owner/repo/a.gguf");
    expect((await resolve("hf:owner/repo/a.gguf")).path).toBe(path);
    expect(hub.count("cdn")).toBe(1);
  });

  test("a file that Python fetched, by asking only for the commit", async () => {
    hub.put("a.gguf", bytes);
    await mkdir(dirname(blob()), { recursive: true });
    await mkdir(dirname(snapshot("a.gguf")), { recursive: true });
    await writeFile(blob(), bytes);
    await symlink(`../../blobs/${sha256(bytes)}`, snapshot("a.gguf"));
    expect((await resolve("hf:owner/repo/a.gguf")).path).toBe(snapshot("a.gguf"));
    expect(hub.count("resolve")).toBe(0);
    hub.seen.length = 0;
    expect((await resolve(`hf:owner/repo@${commit}/a.gguf`)).path).toBe(snapshot("a.gguf"));
    expect(hub.seen).toEqual([]);
  });

  test("all parts of a split model, whichever part is named", async () => {
    const parts = [fakeGguf(5000, 2), fakeGguf(4000, 3)];
    hub.put("m-00001-of-00002.gguf", parts[0]!).put("m-00002-of-00002.gguf", parts[1]!);
    const seen: DownloadProgress[] = [];
    const { path, files } = await resolve("hf:owner/repo/m-00002-of-00002.gguf", { onProgress: (p) => seen.push(p) });
    expect(path).toBe(snapshot("m-00001-of-00002.gguf"));
    expect(await Promise.all(files.map(digestOf))).toEqual(parts.map(sha256));
    expect(seen.at(-1)).toEqual({
      phase: "check",
      file: "m-00002-of-00002.gguf",
      part: 2,
      parts: 2,
      doneBytes: 4000,
      totalBytes: 4000,
    });
  });

  test("the one that a quantisation picks out of a list of several pages", async () => {
    for (const name of ["a-F16", "a-Q4_K_M", "a-Q4_K_S", "a-Q8_0"]) hub.put(`${name}.gguf`, fakeGguf(100, name.length));
    expect((await resolve("hf:owner/repo:Q8_0")).path).toBe(snapshot("a-Q8_0.gguf"));
    expect(hub.count("tree")).toBe(2);
    const error = await fail("hf:owner/repo");
    expect(error).toMatchObject({ code: "usage" });
    expect(error.hint).toContain("hf:owner/repo/a-Q4_K_S.gguf");
  });

  test("from a pull request's revision, and remembers its commit", async () => {
    hub.put("a.gguf", bytes);
    await resolve("hf:owner/repo@refs/pr/1/a.gguf");
    expect(await readFile(join(root(), "refs", "refs", "pr", "1"), "utf8")).toBe(commit);
  });

  test("a file kept in git itself, checked by git's own digest", async () => {
    hub.put("a.gguf", bytes, { lfs: false });
    expect(await digestOf((await resolve("hf:owner/repo/a.gguf")).path)).toBe(sha256(bytes));
    hub.put("b.gguf", fakeGguf(99), { lfs: false, digest: "a".repeat(40) });
    expect(await fail("hf:owner/repo/b.gguf")).toMatchObject({ code: "network" });
  });

  test("with the token to the hub and never to where it redirects", async () => {
    hub.put("a.gguf", bytes).token = "secret";
    await resolve("hf:owner/repo/a.gguf", {}, { HF_TOKEN: "secret" });
    for (const { route, authorization } of hub.seen)
      expect(authorization).toBe(route === "cdn" ? undefined : "Bearer secret");
    await writeFile(join(home, "token"), "secret\n");
    await rm(root(), { recursive: true });
    expect((await resolve("hf:owner/repo/a.gguf")).path).toBe(snapshot("a.gguf"));
  });
});

describe("resolveModel(hf:…) goes on after trouble", () => {
  test("continues a partial file with a range request", async () => {
    hub.put("a.gguf", bytes);
    await leavePartial(bytes.subarray(0, 100_000));
    const done: number[] = [];
    const { path } = await resolve("hf:owner/repo/a.gguf", { onProgress: (p) => done.push(p.doneBytes) });
    expect(hub.seen.at(-1)).toMatchObject({ route: "cdn", range: "bytes=100000-" });
    expect(done[0]).toBeGreaterThan(100_000);
    expect(await digestOf(path)).toBe(sha256(bytes));
    expect(await readdir(dirname(blob()))).toEqual([sha256(bytes)]);
  });

  test("continues what a killed process left under its own name", async () => {
    hub.put("a.gguf", bytes);
    await leavePartial(bytes.subarray(0, 1000));
    const { hostname } = await import("node:os");
    const host = hostname().replaceAll(/[^A-Za-z0-9.-]/g, "_");
    // No process has this id: Linux ends at 2^22, others far below.
    await writeFile(`${blob()}.trimtab-${host}~99999999~0.incomplete`, bytes.subarray(0, 200_000));
    await resolve("hf:owner/repo/a.gguf");
    expect(hub.seen.at(-1)).toMatchObject({ range: "bytes=200000-" });
    expect(await readdir(dirname(blob()))).toEqual([sha256(bytes)]);
  });

  test.each([
    ["is wrong", fakeGguf(100_000, 9)],
    ["is too long", fakeGguf(400_000, 9)],
    ["is complete and wrong", fakeGguf(300_000, 9)],
  ])("begins anew when the partial file %s", async (_title, content) => {
    hub.put("a.gguf", bytes);
    await leavePartial(content);
    expect(await digestOf((await resolve("hf:owner/repo/a.gguf")).path)).toBe(sha256(bytes));
  });

  test("begins anew when the server answers a range with the whole, another range, or 416", async () => {
    for (const answer of ["whole", "other", "416"] as const) {
      hub.put("a.gguf", bytes);
      await leavePartial(bytes.subarray(0, 100_000));
      hub.intercept = ({ route }, response, times) => {
        if (route !== "cdn" || times > 0) return false;
        if (answer === "whole") sendRange({ headers: {} }, response, bytes);
        else if (answer === "other") sendRange({ headers: { range: "bytes=5-" } }, response, bytes);
        else sendRange({ headers: { range: "bytes=999999-" } }, response, bytes);
        return true;
      };
      expect(await digestOf((await resolve("hf:owner/repo/a.gguf")).path)).toBe(sha256(bytes));
      await rm(root(), { recursive: true });
      hub.seen.length = 0;
    }
  });

  test("retries 503, 429 and a cut connection on every address", async () => {
    hub.put("a.gguf", bytes);
    hub.intercept = (_seen, response, times) => {
      if (times > 1) return false;
      if (times === 0) response.writeHead(503).end();
      else response.writeHead(429, { "Retry-After": "0" }).end();
      return true;
    };
    const notices: string[] = [];
    const { path } = await resolve("hf:owner/repo/a.gguf", { onNotice: (text) => notices.push(text) });
    expect(await digestOf(path)).toBe(sha256(bytes));
    expect([hub.count("info"), hub.count("cdn")]).toEqual([3, 3]);
    // Four addresses, each twice; 0.001 s is the pause given, 0 s what Retry-After says.
    expect(notices).toHaveLength(8);
    expect(notices[0]).toMatch(/status 503; trying again in 0\.001 s$/);
    expect(notices[1]).toMatch(/status 429; trying again in 0 s$/);
  });

  test("takes up a truncated body where it broke off, as often as some bytes come", async () => {
    hub.put("a.gguf", bytes);
    hub.intercept = ({ route, range }, response, times) => {
      if (route !== "cdn" || times > 7) return false;
      const start = Number(/\d+/.exec(range ?? "0")?.[0]);
      if (start === 0) {
        sendTruncated(response, bytes, 30_000);
        return true;
      }
      const rest = bytes.subarray(start);
      response.writeHead(206, {
        "Content-Length": rest.length,
        "Content-Range": `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
      });
      response.write(rest.subarray(0, 30_000), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    expect(await digestOf((await resolve("hf:owner/repo/a.gguf", { attempts: 2 })).path)).toBe(sha256(bytes));
    expect(hub.count("cdn")).toBe(9);
  });

  test("does not take a short body without a length for the file", async () => {
    hub.put("a.gguf", bytes);
    hub.intercept = ({ route }, response, times) => {
      if (route !== "cdn" || times > 0) return false;
      response.writeHead(200);
      response.end(bytes.subarray(0, 1000));
      return true;
    };
    expect(await digestOf((await resolve("hf:owner/repo/a.gguf")).path)).toBe(sha256(bytes));
  });

  test("leaves a silent connection and asks again", async () => {
    hub.put("a.gguf", bytes);
    hub.intercept = ({ route }, response, times) => {
      if (route === "info" && times === 0) return true;
      if (route !== "cdn" || times > 0) return false;
      response.writeHead(200, { "Content-Length": bytes.length });
      response.write(bytes.subarray(0, 1000));
      return true;
    };
    expect(await digestOf((await resolve("hf:owner/repo/a.gguf", { stallMs: 150 })).path)).toBe(sha256(bytes));
    expect(hub.count("cdn")).toBe(2);
  });

  test("stops at the signal, keeps the partial file, and goes on from it", async () => {
    hub.put("a.gguf", bytes);
    hub.intercept = ({ route }, response, times) => {
      if (route !== "cdn" || times > 0) return false;
      response.writeHead(200, { "Content-Length": bytes.length });
      response.write(bytes.subarray(0, 50_000));
      return true;
    };
    const abort = new AbortController();
    const error = await fail("hf:owner/repo/a.gguf", {
      signal: abort.signal,
      onProgress: ({ doneBytes }) => doneBytes === 50_000 && abort.abort(),
    });
    expect(error.code).toBe("aborted");
    expect(await digestOf(partial())).toBe(sha256(bytes.subarray(0, 50_000)));
    await expect(lstat(snapshot("a.gguf"))).rejects.toThrow("ENOENT");
    expect(await digestOf((await resolve("hf:owner/repo/a.gguf")).path)).toBe(sha256(bytes));
    expect(hub.seen.at(-1)).toMatchObject({ range: "bytes=50000-" });
  });

  test("uses the cached file and says so when the hub is down, and fetches nothing offline", async () => {
    hub.put("a.gguf", bytes);
    const { path } = await resolve("hf:owner/repo/a.gguf");
    hub.intercept = (_seen, response) => {
      response.writeHead(500).end();
      return true;
    };
    const notices: string[] = [];
    expect((await resolve("hf:owner/repo/a.gguf", { onNotice: (text) => notices.push(text) })).path).toBe(path);
    expect(notices).toEqual([expect.stringContaining("using the copy fetched before")]);
    hub.seen.length = 0;
    expect((await resolve("hf:owner/repo", { offline: true })).path).toBe(path);
    expect((await resolve("hf:owner/repo/a.gguf", {}, { HF_HUB_OFFLINE: "1" })).path).toBe(path);
    expect(hub.seen).toEqual([]);
  });
});

describe("resolveModel(hf:…) refuses", () => {
  test("401 without and with a token, naming what to do", async () => {
    hub.put("a.gguf", bytes).token = "right";
    const without = await fail("hf:owner/repo/a.gguf");
    expect(without).toMatchObject({ code: "unauthorized" });
    expect(without.hint).toContain("set HF_TOKEN");
    const wrong = await fail("hf:owner/repo/a.gguf", {}, { HF_TOKEN: "wrong" });
    expect(wrong.message).toContain("with the token set");
    expect(`${wrong.message}${wrong.hint}`).not.toContain("wrong");
    expect(hub.count("info")).toBe(2);
  });

  test("403 of a gated repository: accept the licence", async () => {
    hub.put("a.gguf", bytes).token = "right";
    hub.gated = true;
    const error = await fail("hf:owner/repo/a.gguf");
    expect(error.code).toBe("unauthorized");
    expect(error.hint).toContain(`accept the licence at ${hub.endpoint}/owner/repo`);
    expect(await readdir(join(root(), "blobs"))).toEqual([]);
  });

  test("a repository, revision or file that is not there, once and for all", async () => {
    hub.put("a.gguf", bytes);
    expect(await fail("hf:owner/none/a.gguf")).toMatchObject({ code: "not-found" });
    expect((await fail("hf:owner/repo@none/a.gguf")).message).toContain("the revision");
    const error = await fail("hf:owner/repo/b.gguf");
    expect(error).toMatchObject({ code: "not-found" });
    expect(error.hint).toContain("hf:owner/repo/a.gguf");
    // One question for each of the first two; for the file its commit, its path and the list of choices.
    expect(hub.seen).toHaveLength(5);
  });

  test("a digest that is wrong twice, and keeps nothing of it", async () => {
    hub.put("a.gguf", bytes, { digest: "a".repeat(64) });
    const error = await fail("hf:owner/repo/a.gguf");
    expect(error.code).toBe("network");
    expect(error.message).toContain(`expected sha256 ${"a".repeat(64)}, got ${sha256(bytes)}, twice`);
    expect(hub.count("cdn")).toBe(2);
    expect(await readdir(join(root(), "blobs"))).toEqual([]);
  });

  test("more bytes than the repository lists", async () => {
    hub.put("a.gguf", bytes, { size: 1000 });
    expect((await fail("hf:owner/repo/a.gguf")).message).toContain("expected 1000 bytes, got more");
  });

  test("a file larger than the disk, before fetching a byte", async () => {
    hub.put("a.gguf", bytes, { size: 2 ** 52 });
    const error = await fail("hf:owner/repo/a.gguf");
    expect(error.code).toBe("io");
    expect(error.hint).toContain("HF_HOME");
    expect(hub.count("cdn")).toBe(0);
  });

  test("a server that stays down, after the tries it was given", async () => {
    hub.intercept = (_seen, response) => {
      response.writeHead(502).end();
      return true;
    };
    expect(await fail("hf:owner/repo/a.gguf", { attempts: 3 })).toMatchObject({ code: "network" });
    expect(hub.count("info")).toBe(3);
  });

  test("no server at all, naming host and reason", async () => {
    await hub.close();
    const error = await fail("hf:owner/repo/a.gguf", { attempts: 2 });
    expect(error.code).toBe("network");
    expect(error.message).toContain("ECONNREFUSED");
  });

  test.each([
    ["no JSON", "<html>"],
    ["another shape", "[]"],
    ["a commit that is a path", JSON.stringify({ sha: "../../../evil" })],
  ])("a description that is %s", async (_title, body) => {
    hub.intercept = (_seen, response) => {
      response.writeHead(200, { "Content-Type": "application/json" }).end(body);
      return true;
    };
    expect(await fail("hf:owner/repo/a.gguf")).toMatchObject({ code: "network" });
  });

  test.each(["../evil.gguf", "/evil.gguf", "a/../../evil.gguf", "C:evil.gguf"])(
    "a repository whose only file is %s",
    async (name) => {
      hub.put(name, bytes);
      expect(await fail("hf:owner/repo")).toMatchObject({ code: "usage" });
      expect(hub.count("resolve")).toBe(0);
    },
  );

  test("a file that is no GGUF although it is named so", async () => {
    hub.put("a.gguf", Buffer.from("<html>not a model</html>"));
    expect(await fail("hf:owner/repo/a.gguf")).toMatchObject({ code: "bad-input" });
  });

  test("to go online when offline, naming the cache", async () => {
    hub.put("a.gguf", bytes);
    const error = await fail("hf:owner/repo/a.gguf", { offline: true });
    expect(error.code).toBe("not-found");
    expect(error.message).toContain(join(home, "hub"));
    expect(hub.seen).toEqual([]);
  });
});
