#!/usr/bin/env node
// CommonJS on purpose: the loader of an ES module has already started the thread pool, whose size is read only then.
const { availableParallelism } = require("node:os") as typeof import("node:os");

process.env["UV_THREADPOOL_SIZE"] ??= String(Math.max(4, availableParallelism()));
// The SDK would print seven lines about the age of Node 20 in each process.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

void import("./cli.ts").then(({ main }) => main(process.argv));
