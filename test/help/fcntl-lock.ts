import { spawn } from "node:child_process";
import { once } from "node:events";

const program = `import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
`;

/** Another process holds a lock of fcntl(2) on a file, as apt and dpkg do. */
export async function holdFcntlLock(path: string): Promise<AsyncDisposable> {
  const child = spawn("python3", ["-c", program, path], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return {
    [Symbol.asyncDispose]: async () => {
      const gone = once(child, "exit");
      child.stdin.end();
      await gone;
    },
  };
}
