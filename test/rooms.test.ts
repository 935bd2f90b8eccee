import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

// The order of docs/architecture.md: a room imports only itself and rooms above it.
const rooms = [
  "errors",
  "linalg",
  "formats",
  "engine",
  "models",
  "activations",
  "maps",
  "compare",
  "vectors",
  "features",
  "steer",
  "stitch",
  "evaluate",
  "study",
  "report",
  "recipe",
  "index",
];
// What stands before the public door imports only it; the command line also starts the server, by its one way in.
const outside = ["cli", "server"];
const serverDoor = "server/serve.ts";
const root = resolve("src");

const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
const roomOf = (path: string) => relative(root, path).split("/")[0]!.replace(/\.ts$/, "");

function importsOf(path: string): string[] {
  const text = readFileSync(path, "utf8");
  return [...text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)].map((match) =>
    resolve(dirname(path), match[1] ?? match[2]!),
  );
}

describe("rooms", () => {
  test("a room imports only itself and rooms above it", () => {
    const wrong: string[] = [];
    for (const name of files) {
      const path = join(root, name);
      const from = roomOf(path);
      for (const file of importsOf(path)) {
        const target = roomOf(file);
        if (target === from || target === "errors") continue;
        if (from === "cli" && relative(root, file) === serverDoor) continue;
        const allowed = outside.includes(from)
          ? target === "index"
          : rooms.indexOf(target) >= 0 && rooms.indexOf(target) < rooms.indexOf(from);
        if (!allowed) wrong.push(`${name} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("no file is over 400 lines, but for the list of what is public", () => {
    const long = files.filter(
      (name) => name !== "index.ts" && readFileSync(join(root, name), "utf8").split("\n").length > 401,
    );
    expect(long).toEqual([]);
  });
});
