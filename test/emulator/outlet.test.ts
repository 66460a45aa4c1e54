import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Builder, newBuilder } from "../help/stage-builder.ts";
import { account } from "../help/stage-inputs.ts";
import { whyNot } from "./sandbox/rig.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(
  `the way out of an instance (skipped where there is no sandbox: ${why})`,
  () => {
    let builder: Builder;
    const status = (words: string): Promise<string> =>
      builder.sh(`curl -q -sS -o /dev/null -w '%{http_code}' ${words} 2>&1 || echo " exit $?"`);

    beforeAll(async () => {
      builder = await newBuilder();
    });
    afterAll(() => builder[Symbol.asyncDispose]());

    test("NET-4 An instance reaches the emulator's S3 at its own address, with a presigned URL", async () => {
      const provider = builder.rig.cloud.account(account);
      const where = { bucket: "acme-images", key: "from/inside" };
      const body = { sizeBytes: 5, sha1: "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", acl: "aws-exec-read" };
      const signal = AbortSignal.timeout(10_000);
      const put = await provider.presignPut(where, { ...body, contentType: "text/plain" }, 60, signal);
      const headers = Object.entries(put.headers).map(([name, value]) => `-H '${name}: ${value}'`);
      const words = (text: string): string =>
        `-X PUT --data-binary ${text} ${headers.join(" ")} '${put.url}'`;
      expect(await status(words("jello"))).toBe("400");
      expect(await status(words("hello"))).toBe("200");
      expect(await provider.headObject(where, signal)).toMatchObject({ sizeBytes: 5, sha1: body.sha1 });
    });

    test("NET-5 An instance reaches nothing else: no credentials, no tunnel, no other port of the machine", async () => {
      const { url } = builder.emulator;
      expect(await builder.sh(`curl -sS ${url}/_imgspec/cloud`)).toContain("<Code>AccessDenied</Code>");
      expect(await status(`${url}/checkip`)).toBe("403");
      expect(await status(`-p -x ${url} http://${builder.on.host}:22/`)).toMatch(/exit/);
      const other = createServer((socket) => socket.end("here")).listen(0, "127.0.0.1");
      await once(other, "listening");
      expect(await status(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)).toMatch(/exit 7/);
      other.close();
    });
  },
);
