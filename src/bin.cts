#!/usr/bin/env node
// CommonJS on purpose: the loader of an ES module has already started the thread pool, whose size is read only then.
const { availableParallelism } = require("node:os") as typeof import("node:os");

process.env["UV_THREADPOOL_SIZE"] ??= String(Math.max(4, availableParallelism()));
// The SDK would print seven lines about the age of Node 20 in each process.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

const { fstatSync, readFileSync, writeSync } = require("node:fs") as typeof import("node:fs");

/** What was made ahead of it (build.mjs): people ask for it most, and should not wait until all commands are set up. */
function printHelp(): boolean {
  const [word = "", ...others] = process.argv.slice(2);
  if (others.length > 0 || !["--help", "-h"].includes(word)) return false;
  if (fstatSync(1).isCharacterDevice() && process.stdout.columns < 80) return false;
  try {
    writeSync(1, readFileSync(`${__dirname}/help.txt`));
    return true;
  } catch (error) {
    // Its reader has seen enough.
    return (error as NodeJS.ErrnoException).code === "EPIPE";
  }
}

if (!printHelp()) {
  const { main } = require("./cli.ts") as typeof import("./cli.ts");
  void main(process.argv);
}
