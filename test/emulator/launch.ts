import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  type EC2Client,
  type Instance,
  RunInstancesCommand,
  type RunInstancesCommandInput,
} from "@aws-sdk/client-ec2";
import { until } from "./rig.ts";

/** The id of the built-in source image. */
export async function sourceImage(ec2: EC2Client): Promise<string> {
  const Filters = [{ Name: "name", Values: ["imgspec-sandbox-linux-*"] }];
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ["amazon"], Filters }));
  return Images[0]?.ImageId ?? "";
}

/** Launches an instance and waits until it runs; its id. */
export async function launch(ec2: EC2Client, input: Partial<RunInstancesCommandInput> = {}): Promise<string> {
  const ImageId = input.ImageId ?? (await sourceImage(ec2));
  const request = { MinCount: 1, MaxCount: 1, InstanceType: "m3.medium" as const, ...input, ImageId };
  const { Instances = [] } = await ec2.send(new RunInstancesCommand(request));
  const id = Instances[0]?.InstanceId ?? "";
  await until(
    () => stateOf(ec2, id),
    (state) => state !== "pending",
  );
  return id;
}

/** An instance as it is described. */
export async function describe(ec2: EC2Client, id: string): Promise<Instance | undefined> {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations?.[0]?.Instances?.[0];
}

/** The name of an instance's state. */
export async function stateOf(ec2: EC2Client, id: string): Promise<string | undefined> {
  return (await describe(ec2, id))?.State?.Name;
}
