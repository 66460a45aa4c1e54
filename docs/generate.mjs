// Writes docs/reference from what the program itself says: `npm run docs`, after `npm run build`.
// test/docs/reference.test.ts fails when a committed page is stale.
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { assemble } from "../schemas/assemble.mjs";
import { toCliPage } from "./generate/cli-page.mjs";
import { toDiagnosticsPage } from "./generate/diagnostics-page.mjs";
import { toSpecPage } from "./generate/spec-page.mjs";
import { toTroubleshootingPage } from "./generate/troubleshooting-page.mjs";

const { toProgram } = createRequire(import.meta.url)("../dist/lib/cli.cjs");
const { errorCodes, warningCodes } = await import("../dist/lib/diagnostics.js");
const { exitCodeOf, problemCodes } = await import("../dist/lib/problem.js");

const pages = {
  "cli.md": toCliPage(toProgram(() => undefined)),
  "diagnostics.md": toDiagnosticsPage({ errorCodes, warningCodes }),
  "spec.md": toSpecPage(assemble()),
  "troubleshooting.md": toTroubleshootingPage({ problemCodes, exitCodeOf }),
};

const folder = new URL("reference/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(pages)) writeFileSync(new URL(name, folder), text);
