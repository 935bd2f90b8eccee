import { access, constants, stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { mismatch } from "../errors.ts";
import type { Arguments } from "./arguments.ts";

/**
 * Checks where a result will be written, before the work that makes it: `--output` is given, ends as it must, its folder is there and
 * may be written, and nothing stands under the name unless `--force` is given. Returns the path.
 *
 * @throws usage for a wrong ending or a file that is there; io if it cannot be written
 */
export async function checkOutput(args: Arguments, endings: readonly string[]): Promise<string> {
  const path = args.text("output");
  const ending = endings.join(" or ");
  if (path === undefined)
    throw mismatch("usage", "--output", `a file that ends in ${ending}`, "nothing", {
      hint: `add -o NAME${endings[0]}`,
    });
  if (!endings.includes(extname(path).toLowerCase()))
    throw mismatch("usage", "--output", `a file that ends in ${ending}`, JSON.stringify(path));
  const folder = dirname(path);
  const found = await statOf(path);
  if (found?.isDirectory()) throw mismatch("usage", "--output", "a file", `the folder ${path}`);
  if (found !== undefined && !args.isSet("force"))
    throw mismatch("usage", "--output", `no file ${path} yet`, "one that is there", {
      hint: "choose another name, or add --force to replace it",
    });
  const holder = await statOf(folder);
  if (!holder?.isDirectory())
    throw mismatch("io", "--output", `the folder ${folder}`, holder ? "a file of that name" : "nothing there", {
      hint: `create it first: mkdir -p ${folder}`,
    });
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw mismatch("io", "--output", `to write in ${folder}`, "no permission", { cause });
  }
  return path;
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw mismatch("io", "--output", `to look at ${path}`, String(error), { cause: error });
  }
}
