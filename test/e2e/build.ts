import { execFileSync } from "node:child_process";
import { resolve } from "node:path";

/** Builds `dist/` once, so that the tests run what users run. */
export function setup(): void {
  const root = resolve(import.meta.dirname, "../..");
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
  });
}
