import { nearest } from "../../util/nearest.ts";
import type { Rule } from "./rule.ts";

const variants = ["commercial", "cn-north-1", "gov"];

/** A certificate is of no use without its key. */
export const certificateIsComplete: Rule = {
  needs: [
    ["certificate", "certificate"],
    ["certificate", "privateKey"],
  ],
  *find({ certificate: { certificate, privateKey } }) {
    if ((certificate === null) === (privateKey === null)) return;
    const [given, other] =
      certificate === null ? ["privateKey", "certificate"] : ["certificate", "privateKey"];
    const message = `${given} needs ${other} beside it`;
    const hint = "give both, or neither: then a pair is made for the run";
    yield { code: "certificate-incomplete", at: ["certificate", given], on: "key", message, hint };
  },
};

/** A certificate and its key are two files: with one of them twice, something else was meant. */
export const certificateIsNoKey: Rule = {
  needs: [
    ["certificate", "certificate"],
    ["certificate", "privateKey"],
  ],
  *find({ certificate: { certificate, privateKey } }) {
    if (certificate === null || certificate !== privateKey) return;
    const message = `certificate and privateKey are both "${privateKey}"`;
    const at = ["certificate", "privateKey"];
    yield {
      code: "certificate-incomplete",
      at,
      message,
      hint: "a pair is two files, such as cert.pem and pk.pem",
    };
  },
};

/** The files that are named can be read. */
export const certificateFilesExist: Rule = {
  needs: [["certificate"]],
  *find({ certificate }, { fileProblem }) {
    for (const key of ["ec2", "certificate", "privateKey"] as const) {
      const path = certificate[key];
      if (path === null || (key === "ec2" && [...variants, "auto"].includes(path))) continue;
      const problem = fileProblem(path, "file");
      if (problem === undefined) continue;
      const meant = key === "ec2" ? nearest(path, [...variants, "auto"]) : undefined;
      const hint =
        key === "ec2" ? "it is auto, commercial, cn-north-1, gov or the path of a certificate" : undefined;
      yield {
        code: "file-missing",
        at: ["certificate", key],
        message: `"${path}" ${problem}`,
        hint: meant ? `did you mean "${meant}"?` : hint,
      };
    }
  },
};

/** There is no falling back on another region's key: EC2 would refuse the bundle after all the work. */
export const ec2KeyIsKnown: Rule = {
  needs: [["certificate", "ec2"]],
  *find({ certificate: { ec2 } }, { region }) {
    if (region.certificate !== null || ec2 !== "auto") return;
    yield {
      code: "certificate-unknown",
      at: "region",
      message: `EC2's public key for ${region.name} is not built in`,
      hint: `set certificate.ec2 under ${region.name} to the path of EC2's certificate for it`,
    };
  },
};

/** A bundle is opened with the private key of its region alone. */
export const ec2KeyIsTheRegions: Rule = {
  needs: [
    ["certificate", "ec2"],
    ["certificate", "allowMismatch"],
  ],
  *find({ certificate: { ec2, allowMismatch } }, { region }) {
    if (allowMismatch || region.certificate === null || !variants.includes(ec2) || ec2 === region.certificate)
      return;
    yield {
      code: "certificate-mismatch",
      at: ["certificate", "ec2"],
      message: `${region.name} opens bundles with the key "${region.certificate}" and cannot open one made for "${ec2}"`,
      hint: 'use "auto", or set certificate.allowMismatch to true to go on nonetheless',
    };
  },
};
