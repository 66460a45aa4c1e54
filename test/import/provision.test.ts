import { expect, test } from "vitest";
import { parse } from "yaml";
import { imported, jsonWith, toldOf } from "./reading.ts";

test.each([
  ["sudo {{.Path}}", { sudo: true }, ""],
  ["chmod +x {{ .Path }}; {{ .Vars }} {{ .Path }}", {}, ""],
  ["{{ .Vars }} sudo -E sh -c '{{ .Path }}'", { sudo: true }, ""],
  ["sudo -H -u app {{.Path}}", {}, "a step runs as the login's user or as root"],
  ["echo 'SECRET' | sudo -S sh {{.Path}}", { sudo: true }, "it gives sudo a password"],
  ["{{.Vars}} bash -x {{.Path}}", {}, "a script is run by its #! line"],
  ["{{.Vars}} sudo ionice {{.Path}}", { sudo: true }, "only its sudo is kept"],
])("the command %s is %j", (execute_command, expected, told) => {
  const { steps, said } = stepsOf({ type: "shell", script: "a.sh", execute_command });
  expect(steps).toEqual([{ shell: "sudo" in expected ? { file: "a.sh", ...expected } : "a.sh" }]);
  if (told === "") expect(said).toBe("");
  else expect(said).toContain(told);
  expect(said).not.toContain("SECRET");
});

test("an inline script that uses variables is run as Packer does it, without -u", () => {
  const { steps } = stepsOf({ type: "shell", inline: ["echo $A", "true"] });
  expect(steps).toEqual([{ shell: { inline: "#!/bin/sh -e\necho $A\ntrue\n" } }]);
});

test("a script of which a line has no translation is no step, and is told", () => {
  const { steps, said } = stepsOf({ type: "shell", inline: ["rm -rf /x", "echo {{consul_key `a`}}"] });
  expect(steps).toBeUndefined();
  expect(said).toContain("imgspec has nothing like {{consul_key}}");
});

test("a secret among the variables of a script becomes a sensitive variable", () => {
  const { steps, said } = stepsOf({
    type: "shell",
    script: "a.sh",
    environment_vars: ["DB_PASSWORD=SECRET"],
  });
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of a spec
  expect(steps).toEqual([{ shell: { file: "a.sh", env: { DB_PASSWORD: "${{ vars.DB_PASSWORD }}" } } }]);
  expect(said).toContain("the value of DB_PASSWORD");
  expect(said).not.toContain("SECRET");
});

test("a shebang of one's own is the first line", () => {
  const { steps } = stepsOf({ type: "shell", inline: ["x=(1)"], inline_shebang: "/bin/bash -e" });
  expect(steps).toEqual([{ shell: { inline: "#!/bin/bash -e\nx=(1)\n" } }]);
});

test("pauses are local steps around it", () => {
  const { steps } = stepsOf({ type: "shell", inline: ["true"], pause_before: "1m30s", pause_after: "5s" });
  expect(steps).toEqual([{ local: "sleep 90" }, { shell: { inline: "true\n" } }, { local: "sleep 5" }]);
});

test("files go into directories under their own names, and the contents of a directory by its slash", () => {
  const { steps } = stepsOf(
    { type: "file", sources: ["a/one", "a/two"], destination: "/tmp/" },
    { type: "file", source: "conf/", destination: "/etc/app/" },
    { type: "file", direction: "download", source: "/var/log/x", destination: "out/" },
  );
  expect(steps).toEqual([
    { upload: { from: "a/one", to: "/tmp/one" } },
    { upload: { from: "a/two", to: "/tmp/two" } },
    { upload: { from: "conf/", to: "/etc/app/" } },
    { download: { from: "/var/log/x", to: "out/x" } },
  ]);
});

test("what runs on this machine is a local step", () => {
  const { steps, said } = stepsOf(
    { type: "shell-local", inline: ["a", "b"] },
    { type: "shell-local", script: "check.sh", environment_vars: ["A='1=2'"], valid_exit_codes: [0, 1] },
  );
  expect(steps).toEqual([{ local: "set -e\na\nb" }, { local: { command: "./check.sh", env: { A: "1=2" } } }]);
  expect(said).toContain("valid_exit_codes of provisioner");
});

test("a playbook has keys for what Packer gave ansible-playbook, and no secret is in it", () => {
  const { steps, said } = stepsOf({
    type: "ansible",
    playbook_file: "ansible/site.yml",
    user: "ec2-user",
    host_alias: "box",
    groups: ["web"],
    use_proxy: false,
    galaxy_file: "requirements.yml",
    ansible_env_vars: ["ANSIBLE_HOST_KEY_CHECKING=False", "ANSIBLE_NOCOLOR=True", "VAULT_TOKEN=SECRET"],
    extra_arguments: [
      ...["-e", "release=2026.11 title='two words' at={{isotime}}", "--extra-vars=@vars.yml", "-vv"],
      ...["-e", '{"app": {"password": "SECRET", "port": 80}}', "--tags", "a,b", "-b", "--diff"],
    ],
  });
  expect(steps).toEqual([
    {
      ansible: {
        playbook: "ansible/site.yml",
        host: "box",
        groups: ["web"],
        extraVars: {
          ...{ release: "2026.11", title: "two words" },
          // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of a spec
          at: "${{ build.now.format('%Y-%m-%dT%H:%M:%SZ') }}",
          // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of a spec
          app: { password: "${{ vars.password }}", port: 80 },
        },
        extraVarsFiles: ["vars.yml"],
        sudo: true,
        tags: ["a", "b"],
        verbose: 2,
        extraArguments: ["--diff"],
        env: { ANSIBLE_NOCOLOR: "True" },
        workdir: ".",
      },
    },
  ]);
  for (const told of ["user of provisioner", "galaxy_file of", "VAULT_TOKEN of", "the value of password"])
    expect(said).toContain(told);
  expect(said).not.toContain("SECRET");
});

test("a playbook alone is short, and a breakpoint that is switched off is none", () => {
  const { steps } = stepsOf(
    { type: "ansible", playbook_file: "site.yml" },
    { type: "breakpoint", note: "look" },
    { type: "breakpoint", disable: true },
    { type: "breakpoint" },
  );
  expect(steps).toEqual([{ ansible: "site.yml" }, { breakpoint: { note: "look" } }, { breakpoint: {} }]);
});

test("a step of other builders is not there, and an override is", () => {
  const { steps } = stepsOf(
    { type: "shell", inline: ["a"], only: ["other"] },
    { type: "shell", inline: ["b"], except: ["amazon-instance"] },
    {
      type: "shell",
      inline: ["c"],
      except: ["other"],
      override: { "amazon-instance": { script: "c.sh", inline: null } },
    },
  );
  expect(steps).toEqual([{ shell: "c.sh" }]);
});

function stepsOf(...provisioners: readonly object[]): { readonly steps: unknown; readonly said: string } {
  const { text, leftovers } = imported(jsonWith({}, { provisioners }));
  return { steps: parse(text).provision, said: toldOf(leftovers) };
}
