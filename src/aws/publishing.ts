import {
  EnableImageDeprecationCommand,
  EnableImageDeregistrationProtectionCommand,
  ModifyImageAttributeCommand,
} from "@aws-sdk/client-ec2";
import { call, type Link } from "./client.ts";
import type { Fresh } from "./fresh.ts";
import type { Launchers } from "./launchers.ts";
import type { Provider } from "./provider.ts";

type Publishing = Pick<Provider, "shareImage" | "deprecateImage" | "protectImage">;

/** What an AMI's owner says of it to others, over EC2's API. Each call may be sent again. */
export function toPublishing(link: Link, fresh: Fresh): Publishing {
  return {
    shareImage: async (id, launchers, signal) => {
      const command = new ModifyImageAttributeCommand({
        ImageId: id,
        LaunchPermission: { Add: [...toPermissions(launchers)] },
      });
      await fresh.settled([id], signal, () => call(link, command, { signal, resource: id }));
    },

    deprecateImage: async (id, at, signal) => {
      const command = new EnableImageDeprecationCommand({ ImageId: id, DeprecateAt: at });
      await fresh.settled([id], signal, () => call(link, command, { signal, resource: id }));
    },

    protectImage: async (id, cooldown, signal) => {
      const command = new EnableImageDeregistrationProtectionCommand({ ImageId: id, WithCooldown: cooldown });
      await fresh.settled([id], signal, () => call(link, command, { signal, resource: id }));
    },
  };
}

type Permission =
  | { UserId: string }
  | { OrganizationArn: string }
  | { OrganizationalUnitArn: string }
  | { Group: "all" };

function* toPermissions(launchers: Launchers): Generator<Permission, void, undefined> {
  for (const account of launchers.accounts) yield { UserId: account };
  for (const arn of launchers.organizations) yield { OrganizationArn: arn };
  for (const arn of launchers.organizationalUnits) yield { OrganizationalUnitArn: arn };
  if (launchers.public) yield { Group: "all" };
}
