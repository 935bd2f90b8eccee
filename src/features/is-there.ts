import { stat } from "node:fs/promises";
import { toFileError } from "../formats/file-error.ts";

/** Whether an ordinary file stands under a name. @throws io where that cannot be found out */
export async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return false;
    throw toFileError(error, path, "read");
  }
}
