import { expect, test } from "vitest";
import { specOf } from "./reading.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPvp6EUDD5bUYr/UeNrC4o1VX2NGFuGrhcP9H4nIZ6R";
const text = `imgspec: 1
name: web
variables: { sudo: { sensitive: true }, proxy: { sensitive: true } }
source: { image: ami-0123456789abcdef0 }
launch: { instanceTypes: [m3.medium], keyPair: team, securityGroups: [sg-01234567] }
connect:
  user: ec2-user
  agent: true
  sudoPassword: \${{ vars.sudo }}
  proxy: { url: "socks5://127.0.0.1:1080", user: me, password: "\${{ vars.proxy }}" }
  bastions: [{ host: bastion.example.com, user: me, agent: true, hostKey: ${hostKey} }]
upload: { bucket: acme-images }
regions: { us-east-1: {} }
`;

test("passwords are in no image, only in the secrets that it refers to", async () => {
  const { images, secrets } = await specOf(text, { variables: { sudo: "hunter2", proxy: "hunter3" } });
  expect(JSON.stringify(images)).not.toContain("hunter");
  expect(images[0]?.connect).toEqual({
    user: "ec2-user",
    port: 22,
    address: "public",
    hostKey: "auto",
    timeoutSeconds: 300,
    privateKey: null,
    agent: true,
    password: null,
    sudoPassword: { $secret: "us-east-1/connect.sudoPassword" },
    proxy: {
      url: "socks5://127.0.0.1:1080",
      user: "me",
      password: { $secret: "us-east-1/connect.proxy.password" },
    },
    bastions: [{ host: "bastion.example.com", port: 22, user: "me", privateKey: null, hostKey }],
  });
  expect(secrets.get("us-east-1/connect.sudoPassword")).toBe("hunter2");
  expect(secrets.get("us-east-1/connect.proxy.password")).toBe("hunter3");
});
