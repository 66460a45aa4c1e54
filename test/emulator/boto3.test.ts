import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { haveMoto } from "../help/moto.ts";
import { newRig, type Rig } from "./rig.ts";

const program = `
import boto3, io, os, sys, urllib.request
from botocore.config import Config
place = dict(endpoint_url=os.environ["EMULATOR"], region_name="us-east-1")
s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}), **place)
key = "a b/+\\u00fc~*'()"
s3.create_bucket(Bucket="boto", ObjectOwnership="ObjectWriter")
s3.put_object(Bucket="boto", Key=key, Body=b"hello", ACL="aws-exec-read")
print(s3.list_objects_v2(Bucket="boto")["Contents"][0]["Key"] == key)
url = s3.generate_presigned_url("get_object", Params={"Bucket": "boto", "Key": key}, ExpiresIn=60)
print(urllib.request.urlopen(url).read().decode())
s3.upload_fileobj(io.BytesIO(b"x" * 20 * 1024 * 1024), "boto", "big")
print(len(s3.get_object(Bucket="boto", Key="big", ChecksumMode="ENABLED")["Body"].read()))
ec2 = boto3.client("ec2", **place)
image = ec2.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": ["imgspec-*"]}])["Images"][0]
tags = [{"ResourceType": "instance", "Tags": [{"Key": "a b", "Value": "c+d&e"}]}]
run = ec2.run_instances(ImageId=image["ImageId"], MinCount=1, MaxCount=1, InstanceType="m3.medium", TagSpecifications=tags)
instance = run["Instances"][0]
print(instance["Tags"][0]["Value"])
ec2.get_waiter("instance_running").wait(InstanceIds=[instance["InstanceId"]], WaiterConfig={"Delay": 1})
print(boto3.client("sts", **place).get_caller_identity()["Account"])
`;

// boto3 comes with moto; where python3 has it not, this is skipped.
test.skipIf(!haveMoto)("SIG-1 the signatures of another client, boto3, are taken as well", async () => {
  await using rig = await newRig();
  const { said, complaints } = await run(rig);
  expect({ said: said.trim().split("\n"), complaints }).toEqual({
    said: ["True", "hello", String(20 * 1024 * 1024), "c+d&e", rig.emulator.accountId],
    complaints: "",
  });
});

async function run({ emulator }: Rig): Promise<{ readonly said: string; readonly complaints: string }> {
  const { accessKeyId = "", secretAccessKey = "" } = emulator.cloud.credentials ?? {};
  const env = {
    ...process.env,
    PYTHONWARNINGS: "ignore",
    EMULATOR: emulator.url,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const child = spawn("python3", ["-"], { env, stdio: "pipe" });
  child.stdin.end(program);
  const [said, complaints] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
  return { said: said.join(""), complaints: complaints.join("") };
}
