// Run as a process of its own by hub-processes.test.ts: resolves the reference named by its argument and says how that went.
import { TrimtabError } from "../../src/errors.ts";
import { resolveModel } from "../../src/models/resolve-model.ts";

try {
  const { path } = await resolveModel(process.argv[2] ?? "", {
    pauseMs: 1,
    onProgress: ({ phase }) => process.stderr.write(`${phase}\n`),
  });
  process.stdout.write(JSON.stringify({ path }));
} catch (error) {
  if (!(error instanceof TrimtabError)) throw error;
  process.stdout.write(JSON.stringify({ code: error.code, message: error.message, hint: error.hint }));
}
