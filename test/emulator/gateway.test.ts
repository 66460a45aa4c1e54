import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  type EC2Client,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { describe, launch, stateOf } from "./launch.ts";
import { newRig, type Rig, until } from "./rig.ts";

/** Asks the emulator for a connection; the status, and the connection if it is there. */
async function tunnel(
  { emulator }: Rig,
  path: string,
): Promise<{ status: number | undefined; socket: Socket }> {
  const call = request(emulator.cloud.networkProxy ?? "", { method: "CONNECT", path }).end();
  const [response, socket, head] = await once(call, "connect");
  // What the instance said first may have come along with the answer.
  socket.unshift(head);
  return { status: response.statusCode, socket };
}

async function newGroup(ec2: EC2Client, CidrIp: string, port = 22): Promise<string> {
  const { GroupId = "" } = await ec2.send(
    new CreateSecurityGroupCommand({ GroupName: `g-${CidrIp}`, Description: "d" }),
  );
  const IpPermissions = [{ IpProtocol: "tcp", FromPort: port, ToPort: port, IpRanges: [{ CidrIp }] }];
  await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  return GroupId;
}

async function callerAddress({ emulator }: Rig): Promise<string> {
  return (await (await fetch(emulator.cloud.checkIpUrl ?? "")).text()).trim();
}

test("NET-1 an instance is reached at its public address by whom its group lets in", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2("eu-central-1");
  const group = await newGroup(ec2, `${await callerAddress(rig)}/32`);
  const id = await launch(ec2, { SecurityGroupIds: [group] });
  const { PublicIpAddress } = (await describe(ec2, id)) ?? {};
  const { status, socket } = await tunnel(rig, `${PublicIpAddress}:22`);
  expect(status).toBe(200);
  socket.write("ping");
  let heard = "";
  for await (const chunk of socket) {
    heard += String(chunk);
    if (heard.endsWith("ping")) break;
  }
  expect(heard).toBe(`${id}\nping`);
});

test("NET-2 whoever may not, and whoever is not there, does not answer", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const [closed, elsewhere, web] = [
    await launch(ec2),
    await launch(ec2, { SecurityGroupIds: [await newGroup(ec2, "192.0.2.0/24")] }),
    await launch(ec2, { SecurityGroupIds: [await newGroup(ec2, "0.0.0.0/0", 80)] }),
  ];
  const addressOf = async (id: string): Promise<string> => (await describe(ec2, id))?.PublicIpAddress ?? "";
  const statusOf = async (path: string): Promise<number | undefined> => (await tunnel(rig, path)).status;
  expect(await statusOf(`${await addressOf(closed)}:22`)).toBe(504);
  expect(await statusOf(`${await addressOf(elsewhere)}:22`)).toBe(504);
  expect(await statusOf(`${await addressOf(web)}:22`)).toBe(504);
  // Its group is open there, but nothing listens.
  expect(await statusOf(`${await addressOf(web)}:80`)).toBe(502);
  expect(await statusOf("203.0.113.250:22")).toBe(504);
  expect(await statusOf("127.0.0.1:22")).toBe(504);
});

test("NET-2 a terminated instance is gone from its address", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const id = await launch(ec2, { SecurityGroupIds: [await newGroup(ec2, "0.0.0.0/0")] });
  const { PublicIpAddress } = (await describe(ec2, id)) ?? {};
  expect((await tunnel(rig, `${PublicIpAddress}:22`)).status).toBe(200);
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  await until(
    () => stateOf(ec2, id),
    (state) => state === "terminated",
  );
  expect((await tunnel(rig, `${PublicIpAddress}:22`)).status).toBe(504);
});

test("NET-6 an instance whose server has not greeted yet refuses, and later answers", async () => {
  await using rig = await newRig();
  const ec2 = rig.ec2();
  const SecurityGroupIds = [await newGroup(ec2, "0.0.0.0/0")];
  rig.host.greets = false;
  const silent = await describe(ec2, await launch(ec2, { SecurityGroupIds }));
  rig.host.greets = true;
  const ready = await describe(ec2, await launch(ec2, { SecurityGroupIds }));
  expect((await tunnel(rig, `${silent?.PublicIpAddress}:22`)).status).toBe(502);
  expect((await tunnel(rig, `${ready?.PublicIpAddress}:22`)).status).toBe(200);
});

test("VM-4 at its gateway an instance finds S3 by the URL that is signed for it, and nothing else", async () => {
  await using rig = await newRig("169.254.169.1");
  const { emulator } = rig;
  const where = { bucket: "images", key: "part" };
  await emulator.furnish({ buckets: [{ name: where.bucket, region: "us-east-1" }], images: [] });
  const provider = toCloud(emulator.cloud).account({ region: "us-east-1" });
  const body = {
    sizeBytes: 5,
    sha1: "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
    contentType: "text/plain",
    acl: "private",
  };
  const { url, headers } = await provider.presignPut(where, body, 60, AbortSignal.timeout(10_000));
  const { host, pathname, search } = new URL(url);
  expect(host).toBe(`169.254.169.1:${new URL(emulator.url).port}`);
  const ask = async (method: string, path: string, more: Record<string, string> = {}) => {
    const call = request(`${emulator.url}${path}`, { method, headers: { host, ...more } });
    const [response] = (await once(call.end(method === "PUT" ? "hello" : undefined), "response")) as [
      IncomingMessage,
    ];
    return [response.statusCode, await text(response)] as const;
  };
  expect((await ask("PUT", pathname + search, { ...headers, "content-length": "5" }))[0]).toBe(200);
  expect(emulator.left().objects).toEqual(["images/part"]);
  expect(await ask("GET", "/_imgspec/cloud")).toEqual([403, expect.stringContaining("AccessDenied")]);
  expect((await ask("GET", "/checkip"))[0]).toBe(403);
});

test("NET-3 the caller has one address", async () => {
  await using rig = await newRig();
  expect([await callerAddress(rig), await callerAddress(rig)]).toEqual(["198.51.100.7", "198.51.100.7"]);
});
