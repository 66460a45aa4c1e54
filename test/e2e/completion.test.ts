import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { newTool, type Tool } from "../help/tool.ts";

const has = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;
const zsh = has("zsh");
const fish = has("fish");

const cases: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["imgspec bui", ["build"]],
  ["imgspec emulator ", ["start"]],
  ["imgspec cert cr", ["create"]],
  ["imgspec image ", ["deregister", "list", "retain", "show"]],
  ["imgspec image retain --keep-b", ["--keep-bundle"]],
  ["imgspec completion ", ["bash", "fish", "zsh"]],
  ["imgspec validate --output ", ["json", "text"]],
  ["imgspec validate image.yaml -o j", ["json"]],
  ["imgspec schema --of e", ["event"]],
  ["imgspec fmt --d", ["--diff"]],
  ["imgspec render image.yaml --or", ["--origins"]],
];

async function newScript(shell: string): Promise<Tool> {
  const tool = await newTool();
  const { code, stdout } = await tool.run(["completion", shell]);
  expect(code).toBe(0);
  await writeFile(tool.path(`imgspec.${shell}`), stdout);
  return tool;
}

describe("bash", () => {
  const words = (tool: Tool, line: string): string[] => {
    // What readline does: it parts the line, sets the variables and calls the function of the command.
    const program = `set -eu
      source imgspec.bash
      [[ $(complete -p imgspec) == *"-F _imgspec imgspec" ]]
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _imgspec imgspec "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", program, "bash", ...line.split(/(?<==)|(?==)| /)], {
      cwd: tool.folder,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    return stdout
      .split("\n")
      .filter((word) => word !== "")
      .sort();
  };

  test("offers commands, options and their values where they can stand", async () => {
    await using tool = await newScript("bash");
    for (const [line, offered] of cases) expect([line, words(tool, line)]).toEqual([line, offered]);
    expect(words(tool, "imgspec validate --output=j")).toEqual(["json"]);
    expect(words(tool, "imgspec ")).toEqual(expect.arrayContaining(["build", "explain", "fmt"]));
    expect(words(tool, "imgspec build build --")).toContain("--emulate");
    expect(words(tool, "imgspec validate --")).not.toContain("--emulate");
  });

  test("leaves files to the shell, and offers none where a value is not one", async () => {
    await using tool = await newScript("bash");
    await mkdir(tool.path("folder"));
    await writeFile(tool.path("my image.yaml"), "");
    const typed = (line: string): string => {
      // A bash that reads keys: the tab completes, and what the line then is, echo prints.
      const { stdout } = spawnSync("script", ["-qec", "bash --norc --noprofile -i", "/dev/null"], {
        cwd: tool.folder,
        encoding: "utf8",
        input: `source imgspec.bash; imgspec() { printf 'got:'; printf ' <%s>' "$@"; echo; }\n${line}\t\nexit\n`,
      });
      return /got:.*/.exec(stdout.slice(stdout.lastIndexOf("got: <")))?.[0].trim() ?? stdout;
    };
    expect(typed("imgspec validate my")).toBe("got: <validate> <my image.yaml>");
    expect(typed("imgspec build x.yaml --var-file my")).toBe(
      "got: <build> <x.yaml> <--var-file> <my image.yaml>",
    );
    expect(typed("imgspec build x.yaml --region my")).toBe("got: <build> <x.yaml> <--region> <my>");
    expect(typed("imgspec clean my")).toBe("got: <clean> <my>");
    expect(typed("imgspec clean x --state-dir fol")).toBe("got: <clean> <x> <--state-dir> <folder/>");
  });
});

describe.skipIf(!fish)(`fish${fish ? "" : " (skipped: there is no fish here)"}`, () => {
  test("offers commands, options and their values where they can stand, and files", async () => {
    await using tool = await newScript("fish");
    await writeFile(tool.path("my.yaml"), "");
    const words = (line: string): string[] => {
      const { stdout, stderr } = spawnSync(
        "fish",
        ["--no-config", "-c", "source imgspec.fish; complete -C $argv", line],
        {
          cwd: tool.folder,
          encoding: "utf8",
          env: { ...process.env, HOME: tool.folder },
        },
      );
      expect(stderr).toBe("");
      return stdout
        .split("\n")
        .map((row) => row.split("\t")[0] ?? "")
        .filter((word) => word !== "")
        .sort();
    };
    for (const [line, offered] of cases) expect([line, words(line)]).toEqual([line, offered]);
    expect(words("imgspec validate m")).toEqual(["my.yaml"]);
    expect(words("imgspec clean m")).toEqual([]);
    expect(words("imgspec build my.yaml --var-file m")).toEqual(["my.yaml"]);
  });
});

describe.skipIf(!zsh)(`zsh${zsh ? "" : " (skipped: there is no zsh here)"}`, () => {
  test("the script is one that zsh reads, and defines the completion", async () => {
    await using tool = await newScript("zsh");
    expect(spawnSync("zsh", ["-n", "imgspec.zsh"], { cwd: tool.folder, encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
    const program = "autoload -U compinit; compinit -u -D; source ./imgspec.zsh; print $_comps[imgspec]";
    const { stdout } = spawnSync("zsh", ["-f", "-c", program], { cwd: tool.folder, encoding: "utf8" });
    expect(stdout).toBe("_imgspec\n");
  });

  test("a tab at its prompt completes", async () => {
    await using tool = await newScript("zsh");
    await writeFile(tool.path("my.yaml"), "");
    // A zsh in a zsh's own pseudo terminal, as zsh's tests of completion do it.
    const program = `zmodload zsh/zpty
      zpty -b z zsh -f -i
      say() { zpty -w z "$1"; sleep 0.3 }
      say "PS1=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source ./imgspec.zsh"
      say 'imgspec() { print -r -- "got: \${(j:|:)@}" }'
      for line in "$@"; do zpty -w -n z "$line"$'\\t'; sleep 1; zpty -w -n z $'\\r'; sleep 0.3; done
      say exit; sleep 0.3
      while zpty -r z line; do print -r -- "$line"; done`;
    const typed = [
      "imgspec valid",
      "imgspec fmt --di",
      "imgspec schema --of ev",
      "imgspec emulator st",
      "imgspec validate my",
    ];
    const { stdout } = spawnSync("zsh", ["-f", "-c", program, "zsh", ...typed], {
      cwd: tool.folder,
      encoding: "utf8",
      env: { ...process.env, TERM: "dumb" },
    });
    expect([...stdout.matchAll(/^got: (.*?)\s*$/gm)].map(([, line]) => line)).toEqual([
      "validate",
      "fmt|--diff",
      "schema|--of|event",
      "emulator|start",
      "validate|my.yaml",
    ]);
  });
});
