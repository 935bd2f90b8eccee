import { NativeModel, type NativeOpenOptions } from "./native-model.ts";
import { selfTest } from "./self-test.ts";

// Run in a process of its own by ../preflight.ts: whatever native code does to it, the caller lives on.

try {
  const model = new NativeModel(JSON.parse(process.argv[2] ?? "{}") as NativeOpenOptions);
  selfTest(model);
  model.free();
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
