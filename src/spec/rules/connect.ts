import type { Path } from "../../document/node.ts";
import type { Rule } from "./rule.ts";

/** A password is never a part of the spec. The value of a sensitive variable is not here, only its place is. */
export const passwordsAreSecret: Rule = {
  needs: [
    ["connect", "password"],
    ["connect", "sudoPassword"],
    ["connect", "proxy"],
  ],
  *find({ connect: { password, sudoPassword, proxy } }) {
    const passwords: readonly (readonly [Path, string | null])[] = [
      [["connect", "password"], password],
      [["connect", "sudoPassword"], sudoPassword],
      [["connect", "proxy", "password"], proxy?.password ?? null],
    ];
    for (const [at, value] of passwords) {
      if (value === null || value === "") continue;
      const message = "a password that is written here would be seen in plans and journals";
      const hint = `declare a variable with sensitive: true, and use \${{ vars.NAME }} here`;
      yield { code: "password-plain", at, message, hint };
    }
    if (proxy !== null && proxy.user === null && proxy.password !== null) {
      const message = "a password needs the user that it is of";
      yield { code: "login-incomplete", at: ["connect", "proxy", "password"], on: "key", message };
    }
  },
};

/** One way to prove who we are, and where a key pair of EC2 is named, the private key that belongs to it. */
export const keysAreComplete: Rule = {
  needs: [
    ["connect", "privateKey"],
    ["connect", "agent"],
    ["connect", "password"],
    ["connect", "bastions"],
    ["launch", "keyPair"],
  ],
  *find({ connect: { privateKey, agent, password, bastions }, launch: { keyPair } }) {
    const both = "privateKey and agent exclude each other";
    const given = [
      ...(privateKey === null ? [] : ["privateKey"]),
      ...(agent ? ["agent"] : []),
      ...(password === null ? [] : ["password"]),
    ];
    const [one, other = ""] = given;
    if (other !== "") {
      const message = `${one} and ${other} exclude each other`;
      yield { code: "login-ambiguous", at: ["connect", other], on: "key", message };
    }
    if (keyPair !== null && one === undefined) {
      const message = `the private key of the key pair ${keyPair} is nowhere named`;
      const hint = "set connect.privateKey to its path, or connect.agent: true";
      yield { code: "login-incomplete", at: ["launch", "keyPair"], message, hint };
    }
    for (const [index, bastion] of bastions.entries()) {
      const at = ["connect", "bastions", index];
      if (bastion.privateKey !== null && bastion.agent) yield { code: "login-ambiguous", at, message: both };
      if (bastion.privateKey !== null || bastion.agent) continue;
      const message = `there is no key for the bastion ${bastion.host}`;
      yield { code: "login-incomplete", at, message, hint: "give it a privateKey, or agent: true" };
    }
  },
};

/** The private keys that are named can be read. */
export const keyFilesExist: Rule = {
  needs: [
    ["connect", "privateKey"],
    ["connect", "bastions"],
  ],
  *find({ connect: { privateKey, bastions } }, { fileProblem }) {
    const paths: readonly (readonly [Path, string | null])[] = [
      [["connect", "privateKey"], privateKey],
      ...bastions.map(
        (bastion, index) => [["connect", "bastions", index, "privateKey"], bastion.privateKey] as const,
      ),
    ];
    for (const [at, path] of paths) {
      const problem = path === null ? undefined : fileProblem(path, "file");
      if (problem !== undefined) yield { code: "file-missing", at, message: `"${path}" ${problem}` };
    }
  },
};

/** The temporary security group lets this machine's own address in, and no other. */
export const doorIsOpen: Rule = {
  needs: [
    ["connect", "proxy"],
    ["connect", "bastions"],
    ["launch", "securityGroups"],
    ["launch", "allowFrom"],
  ],
  *find({ connect: { proxy, bastions }, launch: { securityGroups, allowFrom } }) {
    if (securityGroups.length + allowFrom.length > 0 || (proxy === null && bastions.length === 0)) return;
    const via = bastions.length > 0 ? "bastions" : "proxy";
    const message = `the temporary security group lets in this machine's own address, not that of the ${via}`;
    const hint = "name its range in launch.allowFrom, unless both have the same address";
    yield { code: "door-doubtful", at: ["connect", via], on: "key", message, hint };
  },
};
