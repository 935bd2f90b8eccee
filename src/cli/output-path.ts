import { access, constants, stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { mismatch } from "../errors.ts";
import type { Arguments } from "./arguments.ts";

/**
 * Checks where a result will be written, before the work that makes it: `--output`, or the flag named, is given, ends as it must, its
 * folder is there and may be written, and nothing stands under the name unless `--force` is given. Returns the path.
 *
 * @throws usage for a wrong ending or a file that is there; io if it cannot be written
 */
export async function checkOutput(args: Arguments, endings: readonly string[], name = "output"): Promise<string> {
  const path = args.text(name);
  const flag = `--${name}`;
  const ending = endings.join(" or ");
  if (path === undefined)
    throw mismatch("usage", flag, `a file that ends in ${ending}`, "nothing", {
      hint: `add ${name === "output" ? "-o" : flag} NAME${endings[0]}`,
    });
  if (!endings.includes(extname(path).toLowerCase()))
    throw mismatch("usage", flag, `a file that ends in ${ending}`, JSON.stringify(path));
  const folder = dirname(path);
  const found = await statOf(path);
  if (found?.isDirectory()) throw mismatch("usage", flag, "a file", `the folder ${path}`);
  if (found !== undefined && !args.isSet("force"))
    throw mismatch("usage", flag, `no file ${path} yet`, "one that is there", {
      hint: "choose another name, or add --force to replace it",
    });
  const holder = await statOf(folder);
  if (!holder?.isDirectory())
    throw mismatch("io", flag, `the folder ${folder}`, holder ? "a file of that name" : "nothing there", {
      hint: `create it first: mkdir -p ${folder}`,
    });
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw mismatch("io", flag, `to write in ${folder}`, "no permission", { cause });
  }
  return path;
}

/**
 * Checks that a result does not replace a file that it is made from, whatever the spelling of either: with `--force` hours of reading
 * could go.
 *
 * @throws usage
 */
export async function checkNotInput(output: string, inputs: readonly string[]): Promise<void> {
  const target = await statOf(output);
  if (!target?.isFile()) return;
  for (const input of inputs) {
    const found = await statOf(input);
    if (found?.dev === target.dev && found.ino === target.ino)
      throw mismatch("usage", "--output", "a file of its own", `${input}, which is read`, {
        hint: "choose another name",
      });
  }
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw mismatch("io", path, "to look whether it is there", String(error), { cause: error });
  }
}
