import { setup as buildProgram } from "../e2e/build.ts";
import { debianDisk } from "./layouts.ts";
import { whyNot } from "./needs.ts";

/** Builds `dist/` and the disk images, which takes minutes the first time. */
export async function setup(): Promise<void> {
  buildProgram();
  if ((await whyNot()) === undefined) await debianDisk("none");
}
