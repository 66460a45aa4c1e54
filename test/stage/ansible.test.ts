import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "../../src/problem.ts";
import { type AnsibleInput, ansible } from "../../src/stage/ansible.ts";
import { haveAnsible } from "../help/ansible.ts";
import { childrenLike, processesLike, watchProcesses } from "../help/processes.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";
import { toInstance } from "../help/sshd-stage.ts";
import { newProvider, newStageRig, type StageRig } from "../help/stage-rig.ts";
import { canHaveSudoers, password, startSudoerSshd } from "../help/sudoer.ts";

const token = '{{ s3cret }} "quoted" grüße\'s';
const mark = process.pid;

describe.skipIf(!(haveAnsible && haveSshd))(
  "a real ansible-playbook (skipped where it or sshd is missing)",
  () => {
    let folder: string;
    let sshd: Sshd;
    let rig: StageRig;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "imgspec-ansible-"));
      sshd = await startSshd(["Subsystem sftp internal-sftp"]);
      rig = await newStageRig(newProvider({}), { token, sudo: password });
    });
    afterAll(async () => {
      await rig[Symbol.asyncDispose]();
      await sshd[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    test("a playbook works on the instance, with its groups, variables and files; secrets are seen nowhere", async () => {
      await mkdir(join(folder, "group_vars"), { recursive: true });
      await writeFile(join(folder, "group_vars/web.yml"), "from_group: of the group\n");
      await writeFile(join(folder, "more.yml"), "release: old\nmore: of the file\n");
      await writeFile(join(folder, "sent.txt"), "a file\n");
      const out = join(folder, "out");
      const running = play(
        `
- hosts: web
  gather_facts: false
  tasks:
    - copy: { src: sent.txt, dest: ${out}.sent, mode: "0640" }
    - copy:
        dest: ${out}.vars
        content: "{{ [release, count + 1, more, from_group, token, nested.deep[1].token, imgspec_instance_id, inventory_hostname] | to_json }}"
      diff: true
    - shell: echo {{ token | quote }}; sleep 1
      register: said
    - debug: { var: said.stdout }
    - { command: env, delegate_to: localhost, register: env }
    - assert: { that: "'PATH=' in env.stdout and 's3cret' not in env.stdout" }
`,
        {
          env: {},
          groups: ["web", "new"],
          host: "box",
          extraVarsFiles: [join(folder, "more.yml")],
          extraVars: {
            release: "2026.11",
            count: 3,
            token: { $secret: "token" },
            nested: { deep: [1, { token: { $secret: "token" } }] },
          },
          extraArguments: ["--diff"],
        },
      );
      const seen = await watchProcesses(running);
      const lines = await running;
      expect(await readFile(`${out}.sent`, "utf8")).toBe("a file\n");
      expect(JSON.parse(await readFile(`${out}.vars`, "utf8"))).toEqual([
        ...["2026.11", 4, "of the file", "of the group", token, token, "i-0123456789abcdef0", "box"],
      ]);
      expect(lines).toContainEqual(expect.stringMatching(/^box +: ok=6 +changed=4 /));
      const builder = seen.commands.split("\n").filter((line) => /ansible-playbook|^ssh /.test(line));
      expect(builder.length).toBeGreaterThan(0);
      expect(builder.join("\n")).not.toContain("s3cret");
      expect(rig.context("t").masked(lines.join("\n"))).not.toContain("s3cret");
      await nothingIsLeft();
    });

    test("tags choose, and a playbook that is for another host is a mistake", async () => {
      const plays = `
- hosts: all
  gather_facts: false
  tasks:
    - { raw: "echo one", tags: [one] }
    - { raw: "echo two", tags: [two] }
    - { raw: "echo three", tags: [three] }
`;
      const lines = await play(plays, { tags: ["one", "three"], skipTags: ["three"] });
      expect(lines).toContainEqual(expect.stringMatching(/^default +: ok=1 /));
      await expect(play("- { hosts: elsewhere, tasks: [] }\n")).rejects.toMatchObject({
        message: "no play of play.yml (provision[2]) is for this instance",
        hint: "its hosts: must name all, default; or set host and groups",
      });
    });

    test("a task that fails is named with its reason, one that may fail is not, and it is tried again", async () => {
      const count = join(folder, "count");
      const plays = `
- hosts: all
  gather_facts: false
  tasks:
    - name: Whatever
      raw: "false"
      ignore_errors: true
    - name: Count up
      shell: echo x >>${count}; [ "$(wc -l <${count})" -gt 1 ] || { echo the disk is on fire >&2; exit 3; }
`;
      await expect(play(plays)).rejects.toMatchObject({
        code: "command-failed",
        message:
          'the playbook play.yml (provision[2]) failed at the task "Count up": non-zero return code; the disk is on fire',
      });
      await rm(count);
      await play(plays, { retries: 1 });
      expect(await readFile(count, "utf8")).toBe("x\nx\n");
      await nothingIsLeft();
    });

    test("what is no playbook is told by Ansible itself", async () => {
      await expect(play("- hosts: all\n  tasks: [ { nothing_like_it: {} } ]\n")).rejects.toMatchObject({
        message: expect.stringMatching(/^the playbook play.yml \(provision\[2\]\) exited with \d$/),
      });
      expect(rig.lines.slice(-20).join("\n")).toContain("nothing_like_it");
    });

    test("an interrupt ends it here and there", async () => {
      const stop = new AbortController();
      const plays = `- { hosts: all, gather_facts: false, tasks: [ { raw: sleep 961.${mark} } ] }\n`;
      const running = play(plays, {}, stop.signal);
      running.catch(() => undefined);
      await expect
        .poll(() => processesLike(new RegExp(`^sleep 961[.]${mark}$`)), { timeout: 20_000 })
        .not.toEqual([]);
      stop.abort(new Problem("interrupted", "Ctrl-C"));
      await expect(running).rejects.toMatchObject({ code: "interrupted" });
      await expect
        .poll(() => processesLike(new RegExp(`^sleep 961[.]${mark}$`)), { timeout: 5000 })
        .toEqual([]);
      await nothingIsLeft();
    });

    test.skipIf(!canHaveSudoers)(
      "become has the password that sudo asks for (skipped without root)",
      async () => {
        await using guarded = await startSudoerSshd(["builder ALL=(ALL) ALL"]);
        const on = { ...toInstance(guarded), way: { ...way, sudoPassword: { $secret: "sudo" } } };
        const plays = `
- hosts: all
  gather_facts: false
  tasks:
    - { command: id -un, register: me, changed_when: false }
    - { assert: { that: me.stdout == 'root' } }
`;
        await rig.stage(ansible, { ...(await toInput(plays)), sudo: true, on });
        expect(rig.lines.join("\n")).not.toContain(password);
      },
    );

    async function nothingIsLeft(): Promise<void> {
      expect(
        (await readdir(rig.run.directory)).filter((name) => name !== "journal.jsonl" && name !== "lock"),
      ).toEqual([]);
      expect(await childrenLike(/ansible|^ssh /)).toEqual([]);
    }

    async function play(
      text: string,
      change: Partial<AnsibleInput> = {},
      signal?: AbortSignal,
    ): Promise<readonly string[]> {
      const before = rig.lines.length;
      const input = { ...(await toInput(text)), ...change, on: toInstance(sshd) };
      await rig.stage(ansible, input, signal);
      return rig.lines.slice(before);
    }

    async function toInput(text: string): Promise<AnsibleInput> {
      const playbook = join(folder, "play.yml");
      await writeFile(playbook, text);
      return { ...plain, playbook, workdir: folder };
    }
  },
);

const way = { privateKey: null, agent: false, password: null, proxy: null, bastions: [] };

const plain: Omit<AnsibleInput, "playbook" | "workdir"> = {
  command: "ansible-playbook",
  host: "default",
  groups: [],
  extraVars: {},
  extraVarsFiles: [],
  contents: {},
  sudo: false,
  tags: [],
  skipTags: [],
  verbose: 0,
  extraArguments: [],
  env: { ANSIBLE_PIPELINING: "1" },
  timeoutSeconds: 120,
  retries: 0,
  label: "provision[2]",
};
