import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TrimtabError } from "../../src/errors.ts";
import { resolveHubSettings } from "../../src/models/hub-settings.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let home = "";
beforeEach(async () => {
  home = await temporaryFolder();
});
afterEach(() => rm(home, { recursive: true }));

describe("resolveHubSettings(env)", () => {
  test("has the defaults of Python's huggingface_hub", () => {
    expect(resolveHubSettings({}, { home })).toEqual({
      endpoint: "https://huggingface.co",
      cacheDir: join(home, ".cache", "huggingface", "hub"),
      token: undefined,
      offline: false,
    });
  });

  test.each([
    [{ HF_HUB_CACHE: "/a", HUGGINGFACE_HUB_CACHE: "/b", HF_HOME: "/c" }, "/a"],
    [{ HUGGINGFACE_HUB_CACHE: "/b", HF_HOME: "/c" }, "/b"],
    [{ HF_HOME: "/c", XDG_CACHE_HOME: "/d" }, "/c/hub"],
    [{ XDG_CACHE_HOME: "/d" }, "/d/huggingface/hub"],
    [{ HF_HOME: "" }, "$HOME/.cache/huggingface/hub"],
    [{ HF_HOME: "~/x" }, "$HOME/x/hub"],
  ])("finds the cache from %j", (env, expected) => {
    expect(resolveHubSettings(env, { home }).cacheDir).toBe(expected.replace("$HOME", home));
  });

  test("finds the token in HF_TOKEN, HF_TOKEN_PATH and the home's token file, in this order", async () => {
    await writeFile(join(home, "token"), "stored\n");
    await writeFile(join(home, "other"), "other\n");
    const token = (env: Record<string, string>) => resolveHubSettings({ HF_HOME: home, ...env }).token;
    expect(token({ HF_TOKEN: " t ", HF_TOKEN_PATH: join(home, "other") })).toBe("t");
    expect(token({ HF_TOKEN_PATH: join(home, "other") })).toBe("other");
    expect(token({})).toBe("stored");
  });

  test.each(["1", "true", "YES", "on"])(
    "is offline with HF_HUB_OFFLINE=%s unless the option says otherwise",
    (text) => {
      expect(resolveHubSettings({ HF_HUB_OFFLINE: text }, { home }).offline).toBe(true);
      expect(resolveHubSettings({ HF_HUB_OFFLINE: text }, { home, offline: false }).offline).toBe(false);
      expect(resolveHubSettings({ HF_HUB_OFFLINE: "0" }, { home }).offline).toBe(false);
    },
  );

  test("takes an endpoint without its last slash and refuses what is no address", () => {
    expect(resolveHubSettings({ HF_ENDPOINT: "http://mirror:8080/hf/" }, { home }).endpoint).toBe(
      "http://mirror:8080/hf",
    );
    for (const text of ["mirror", "ftp://mirror"])
      expect(() => resolveHubSettings({ HF_ENDPOINT: text }, { home })).toThrow(
        expect.objectContaining({ code: "usage" }),
      );
  });

  test("refuses a token that no header may carry, without showing it", () => {
    try {
      resolveHubSettings({ HF_TOKEN: "se cret\nx" }, { home });
      expect.unreachable();
    } catch (error) {
      expect((error as TrimtabError).message).toContain("HF_TOKEN");
      expect((error as TrimtabError).message).not.toContain("cret");
    }
  });
});
