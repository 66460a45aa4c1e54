import type { Command } from "commander";
import { addCertCreate } from "./cert-create.ts";
import { addCertShow } from "./cert-show.ts";
import { addCertList, addCertUpload } from "./cert-upload.ts";

/** `imgspec cert`: the certificates that sign bundles. */
export function addCert(program: Command, exit: (code: number) => void): void {
  const cert = program.command("cert").description("Make and look at the certificates that sign bundles.");
  for (const add of [addCertCreate, addCertShow, addCertUpload, addCertList]) add(cert, exit);
}
