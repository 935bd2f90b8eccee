import { defineConfig } from "vitest/config";

// Tests run as compiled by tsc: what is tested is what is shipped, worker threads and all.
export default defineConfig({
  test: {
    include: ["dist/test/**/*.test.js"],
    // Two engines at once would fight for the same cores; files still run side by side within this limit.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
