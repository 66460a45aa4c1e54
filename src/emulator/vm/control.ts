import type { Duplex } from "node:stream";

/** Asks a QEMU that has just started which loopback port leads to the guest's SSH server; rejects when QEMU goes away. */
export function askForPort(control: Duplex): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    const gone = (): void => reject(new Error("QEMU went away"));
    control.once("close", gone);
    control.once("error", gone);
    control.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const port = /HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(said)?.[1];
      if (port === undefined) return;
      said = "";
      resolve(Number(port));
    });
    const usernet = { execute: "human-monitor-command", arguments: { "command-line": "info usernet" } };
    control.write(`${JSON.stringify({ execute: "qmp_capabilities" })}\n${JSON.stringify(usernet)}\n`);
  });
}
