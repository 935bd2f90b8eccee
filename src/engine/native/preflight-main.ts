import { planTail } from "./load-tail.ts";
import { NativeModel, type NativeOpenOptions } from "./native-model.ts";
import { selfTest } from "./self-test.ts";

// Run in a process of its own by ../preflight.ts: whatever native code does to it, the caller lives on.

// The caller holds the other end; when it is gone, so is the reason to go on.
process.stdin.on("end", () => process.exit(1)).resume();

try {
  const options = JSON.parse(process.argv[2] ?? "{}") as NativeOpenOptions;
  const model = new NativeModel(options, options.tail && (await planTail(options.tail)));
  selfTest(model);
  model.free();
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
process.stdin.destroy();
