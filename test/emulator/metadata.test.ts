import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { type MetadataService, startMetadataService } from "../../src/emulator/vm/metadata-service.ts";
import { facts } from "../help/instance-facts.ts";

type Service = AsyncDisposable & {
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<readonly [number, string]>;
};

test("MD-1 an instance reads what it is, its key and its user data, under every version's name", async () => {
  await using service = await newService();
  const values: Record<string, string> = {};
  for (const name of [
    "instance-id",
    "ami-id",
    "local-hostname",
    "placement/availability-zone",
    "public-ipv4",
    "security-groups",
  ])
    [, values[name]] = await service.ask(`/latest/meta-data/${name}`);
  expect(values).toEqual({
    "instance-id": "i-0123456789abcdef0",
    "ami-id": "ami-0123456789abcdef0",
    "local-hostname": "ip-10-0-0-4.ec2.internal",
    "placement/availability-zone": "us-east-1a",
    "public-ipv4": "203.0.113.1",
    "security-groups": "default",
  });
  expect(await service.ask("/2009-04-04/meta-data/public-keys/")).toEqual([200, "0=key"]);
  expect(await service.ask("/1.0/meta-data/public-keys/0/openssh-key")).toEqual([200, "ssh-rsa AAAA\n"]);
  expect(await service.ask("/latest/user-data")).toEqual([200, "#!/bin/sh\n"]);
});

test("MD-2 directories list their names, those of directories with a slash; what is not there is 404", async () => {
  await using service = await newService();
  expect(await service.ask("/latest/meta-data/block-device-mapping/")).toEqual([
    200,
    "ami\nephemeral0\nroot",
  ]);
  expect(await service.ask("/latest/meta-data/block-device-mapping/ephemeral0")).toEqual([200, "sdb"]);
  expect((await service.ask("/latest/meta-data/"))[1].split("\n")).toEqual(
    expect.arrayContaining(["ami-id", "placement/", "public-keys/"]),
  );
  for (const path of [
    "/latest/meta-data/kernel-id",
    "/latest/meta-data/constructor",
    "/later/meta-data/",
    "/latest/api/token",
  ])
    expect(await service.ask(path)).toEqual([404, ""]);
  expect(JSON.parse((await service.ask("/latest/dynamic/instance-identity/document"))[1])).toMatchObject({
    accountId: "123456789012",
    region: "us-east-1",
  });
});

test("MD-3 version 2 gives a token to a PUT with a lifetime, and to no proxy; a wrong or old token is refused", async () => {
  await using service = await newService();
  const put = (headers: Record<string, string>) => service.ask("/latest/api/token", headers, "PUT");
  const ttl = "x-aws-ec2-metadata-token-ttl-seconds";
  expect((await put({}))[0]).toBe(400);
  expect((await put({ [ttl]: "0" }))[0]).toBe(400);
  expect((await put({ [ttl]: "21601" }))[0]).toBe(400);
  expect((await put({ [ttl]: "60", "x-forwarded-for": "10.0.0.1" }))[0]).toBe(403);
  const [status, token] = await put({ [ttl]: "1" });
  const name = "x-aws-ec2-metadata-token";
  expect(status).toBe(200);
  expect((await service.ask("/latest/meta-data/ami-id", { [name]: token }))[0]).toBe(200);
  expect((await service.ask("/latest/meta-data/ami-id", { [name]: `${token}x` }))[0]).toBe(401);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect((await service.ask("/latest/meta-data/ami-id", { [name]: token }))[0]).toBe(401);
});

test("MD-4 an instance that must use tokens hears nothing without one", async () => {
  await using service = await newService("required");
  expect(await service.ask("/latest/meta-data/ami-id")).toEqual([401, ""]);
  const [, token] = await service.ask(
    "/latest/api/token",
    { "x-aws-ec2-metadata-token-ttl-seconds": "60" },
    "PUT",
  );
  expect((await service.ask("/latest/user-data", { "x-aws-ec2-metadata-token": token }))[0]).toBe(200);
});

async function newService(metadataTokens: "optional" | "required" = "optional"): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-metadata-"));
  const socketPath = join(directory, "socket");
  const service: MetadataService = await startMetadataService(socketPath, {
    instanceId: "i-0123456789abcdef0",
    hostname: "ip-10-0-0-4",
    authorizedKeys: ["ssh-rsa AAAA"],
    userData: "#!/bin/sh\n",
    facts: { ...facts, metadataTokens },
  });
  return {
    ask: async (path, headers = {}, method = "GET") => {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request({ socketPath, path, headers, method }, resolve).once("error", reject).end();
      });
      return [response.statusCode ?? 0, await text(response)];
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
