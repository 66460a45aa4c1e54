import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "../../src/problem.ts";
import { type ProgramInput, program } from "../../src/stage/program.ts";
import { blocks } from "../docs/pages.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { processesLike } from "../help/processes.ts";
import { type Builder, newBuilder } from "../help/stage-builder.ts";

const why = await whyNot();
const canary = "canary-77b1e0-of-the-program-stage";

const python = `import json, os, sys
hello = json.loads(sys.stdin.readline())
def ask(id, **request):
    print(json.dumps({"id": id, **request}), flush=True)
    reply = json.loads(sys.stdin.readline())
    assert reply["type"] == "reply" and reply["id"] == id
    return reply
print(json.dumps({"request": "log", "line": "%s %d" % (hello["type"], hello["protocol"])}), flush=True)
assert hello["instance"]["user"] == "ec2-user" and hello["region"] == "us-east-1"
token = hello["secrets"]["token"]
assert token not in json.dumps(dict(os.environ)) and token not in str(sys.argv)
open("local.txt", "w").write(hello["options"]["motd"])
assert ask(1, **{"request": "upload", "from": "local.txt", "to": "/tmp/sent", "mode": "0640"})["result"] == {}
run = ask(2, request="run", script="cat /tmp/sent; stat -c %a /tmp/sent; echo $WHO; id -u >&2; exit 3", env={"WHO": "me"}, sudo=True)
assert run["result"] == {"code": 3, "signal": None, "stdout": "welcome640\\nme\\n", "stderr": "0\\n"}, run
assert ask(3, **{"request": "download", "from": "/tmp/sent", "to": "back.txt"})["result"] == {}
assert open("back.txt").read() == "welcome"
gone = ask(4, **{"request": "download", "from": "/tmp/gone", "to": "back.txt"})
assert gone["error"]["code"] and gone["error"]["message"], gone
late = ask(5, request="run", script="sleep 60", timeoutSeconds=1)
assert late["error"]["code"] == "command-timeout", late
print("done", file=sys.stderr)
`;

describe.skipIf(why !== undefined)(`a program (skipped where there is no sandbox: ${why})`, () => {
  let builder: Builder;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "imgspec-program-"));
    builder = await newBuilder({ token: canary });
  });
  afterAll(async () => {
    await builder[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test.skipIf(!hasPython())(
    "in Python is told what it needs and is answered request by request",
    async () => {
      await writeFile(join(directory, "app.py"), python);
      const lines = await run(["python3", "./app.py"]);
      expect([lines[0], lines.at(-1)]).toEqual(["hello 1", "done"]);
      expect(lines).toContain("welcome640");
    },
  );

  test.skipIf(!hasPython())("in Python as the page on programs has it does what it says", async () => {
    const [example] = blocks("python").filter(({ place }) => place.startsWith("docs/programs.md"));
    await writeFile(join(directory, "example.py"), example?.text ?? "");
    const told = { options: { version: "1.2" } };
    expect(await run(["python3", "./example.py"], { told })).toEqual(["installed 1.2"]);
    expect(await builder.sh("cat /srv/app/version")).toBe("1.2\n");
  });

  test("in sh may send several requests before it reads an answer, and they are carried out in order", async () => {
    const lines = await sh(`read hello
for id in 1 2 3; do echo '{"id":'$id',"request":"run","script":"echo said '$id'"}'; done
read -r a; read -r b; read -r c
printf '%s\\n' "$a" >&2`);
    expect(lines.filter((line) => line.startsWith("said"))).toEqual(["said 1", "said 2", "said 3"]);
    expect(lines.at(-1)).toBe(
      '{"type":"reply","id":1,"result":{"code":0,"signal":null,"stdout":"said 1\\n","stderr":""}}',
    );
  });

  test("that asks to hide a value has it hidden", async () => {
    await sh(`echo '{"request":"hide","value":"derived-secret"}'`);
    expect(builder.rig.hidden).toContain("derived-secret");
  });

  test.each([
    ["hello there", "it is not JSON"],
    ["[1]", "it is not a JSON object"],
    ['{"id":1,"request":"reboot"}', 'its "request" must be log, hide, run, upload, download'],
    ['{"id":1,"request":"run"}', 'its "script" must be a text'],
    ['{"id":1,"request":"run","script":"true","sodu":true}', 'a request to run has no "sodu"'],
    ['{"request":"run","script":"true"}', 'its "id" must be a whole number'],
  ])("that writes %s is ended, told why, and leaves no process", async (line, reason) => {
    const mark = `sleep 7${process.pid}.5`;
    await expect(sh(`${mark} & echo '${line}'; ${mark}`)).rejects.toMatchObject({
      code: "command-failed",
      message: `the program sh (provision[2]) wrote a line that is no request: ${reason}: ${line}`,
    });
    expect(await processesLike(new RegExp(mark.replace(".", "[.]")))).toEqual([]);
  });

  test("that fails, ends too early, is not there or takes too long is told by its name", async () => {
    const message = (told: string): object => ({ message: `the program sh (provision[2]) ${told}` });
    await expect(sh("exit 4")).rejects.toMatchObject(message("exited with 4"));
    await expect(sh(`echo '{"id":9,"request":"run","script":"sleep 1"}'`)).rejects.toMatchObject(
      message("ended before its request 9 was answered"),
    );
    await expect(sh("sleep 60", { timeoutSeconds: 1 })).rejects.toMatchObject({ code: "command-timeout" });
    await expect(run(["./gone"])).rejects.toMatchObject({
      message: "the program ./gone (provision[2]) cannot be started",
    });
  });

  test("ends with all that it started when the build is stopped", async () => {
    const stop = new AbortController();
    const mark = `sleep 8${process.pid}.5`;
    const running = sh(`${mark} & echo '{"request":"log","line":"begun"}'; wait`, {}, stop.signal);
    setTimeout(() => stop.abort(new Problem("interrupted", "SIGINT")), 1000);
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    expect(await processesLike(new RegExp(mark.replace(".", "[.]")))).toEqual([]);
  });

  function sh(script: string, change: Partial<ProgramInput> = {}, signal?: AbortSignal) {
    return run(["sh", "-c", script], change, signal);
  }

  async function run(
    command: readonly string[],
    change: Partial<ProgramInput> = {},
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const from = builder.rig.lines.length;
    const input: ProgramInput = {
      on: builder.on,
      command,
      contents: [],
      told: { options: { motd: "welcome" } },
      secrets: { token: { $secret: "token" } },
      directory,
      timeoutSeconds: 60,
      retries: 0,
      label: "provision[2]",
      ...change,
    };
    expect(await builder.rig.stage(program, input, signal)).toEqual(builder.on);
    return builder.rig.lines.slice(from);
  }
});

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", ""]);
    return true;
  } catch {
    return false;
  }
}
