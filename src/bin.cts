#!/usr/bin/env node
// CommonJS on purpose: an ES module's loader has already started the thread pool, whose size is read only then.
import os = require("node:os");

process.env["UV_THREADPOOL_SIZE"] ??= String(Math.max(4, os.availableParallelism()));
// The SDK would print seven lines about the age of Node 20 for each process.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

void import("./cli.ts").then(({ main }) => main(process.argv));
