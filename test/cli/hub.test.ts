import { readFile, rm } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { demoModelPath } from "../../src/index.ts";
import { HubServer } from "../models/hub-server.ts";
import { temporaryFolder } from "../models/temporary-folder.ts";
import { run } from "./fake-effects.ts";

let hub: HubServer;
let home = "";
beforeEach(async () => {
  hub = (await HubServer.open()).put("stories.gguf", await readFile(demoModelPath("s")));
  home = await temporaryFolder();
});
afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

const inspect = (...argv: string[]) =>
  run(["inspect", ...argv, "--threads", "1"], { env: { HF_ENDPOINT: hub.endpoint, HF_HOME: home } });

test("inspect hf:owner/repo fetches the model, showing how far it is, and opens it", async () => {
  const { status, stdout, stderr } = await inspect("hf:owner/repo");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^architecture {2,}llama, \d+ blocks of width \d+$/m);
  expect(stderr).toMatch(/fetching stories\.gguf {2}100 % .* MB/);
  expect(stderr).toMatch(/checking stories\.gguf {2}100 %/);
});

test("inspect hf:owner/repo warns, even with --json, when it uses what was fetched before", async () => {
  await inspect("hf:owner/repo", "--json");
  hub.intercept = (_seen, response) => {
    response.writeHead(503).end();
    return true;
  };
  const { status, stdout, stderr } = await inspect("hf:owner/repo", "--json");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toHaveProperty("description.architecture", "llama");
  expect(stderr).toMatch(/^warning: .*status 503; using the copy fetched before\n$/);
});

test("inspect hf:… of a closed repository says how to open it, with status 7", async () => {
  hub.token = "right";
  const { status, stderr } = await inspect("hf:owner/repo/stories.gguf");
  expect(status).toBe(7);
  expect(stderr).toContain("set HF_TOKEN");
});
