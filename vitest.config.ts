import { defineConfig } from "vitest/config";
import { UnfinishedReporter } from "./test/help/unfinished.ts";

export default defineConfig({
  test: {
    restoreMocks: true,
    reporters: ["default", new UnfinishedReporter()],
    // The SDK would print seven lines about the age of Node 20 in each process.
    env: {
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
      // A bash whose input is a socket, as Node's pipes are, reads the ~/.bashrc of whoever runs the tests, unless another
      // shell started it.
      SHLVL: "1",
    },
    // Half of the time a test waits for others. The limits are for what hangs, not for slow machines.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Plugins are loaded by Node itself, as they are in the program.
    server: { deps: { external: [/\/plugins\/[^/]+\.[cm]?js$/] } },
    coverage: { include: ["src/**"], exclude: ["**/*.gen.ts"] },
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/e2e/**", "test/vm/**"] },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/build.ts"],
          testTimeout: 240_000,
        },
      },
      {
        extends: true,
        test: {
          name: "vm",
          include: ["test/vm/**/*.test.ts"],
          globalSetup: ["test/vm/setup.ts"],
          // An emulated processor is slow enough for one machine at a time.
          fileParallelism: false,
          testTimeout: 3_600_000,
        },
      },
    ],
  },
});
