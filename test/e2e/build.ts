import { execFileSync } from "node:child_process";
import { resolve } from "node:path";

/** Builds `dist/` once, so that the tests run what users run. */
export function setup(): void {
  const root = resolve(import.meta.dirname, "../..");
  execFileSync(process.execPath, ["build.mjs"], { cwd: root, stdio: "inherit" });
}
