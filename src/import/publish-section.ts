import { type Section, withoutAbsent } from "./launch-sections.ts";
import type { Options } from "./options.ts";

/** `publish`: who may launch the AMI, until when it is listed, and what protects it. */
export function toPublish(options: Options): Section {
  const groups = options.texts("ami_groups");
  const others = groups.filter((group) => group !== "all");
  if (others.length > 0)
    options.leave("ami_groups", [`EC2 knows no group but all, not ${others.join(", ")}`]);
  const share = withoutAbsent({
    accounts: orAbsent(options.texts("ami_users")),
    organizations: orAbsent(options.texts("ami_org_arns")),
    organizationalUnits: orAbsent(options.texts("ami_ou_arns")),
    public: groups.includes("all") || undefined,
  });
  return {
    share: Object.keys(share).length > 0 ? share : undefined,
    deprecate: options.text("deprecate_at"),
    deregistrationProtection: toProtection(options),
  };
}

function toProtection(options: Options): string | undefined {
  const [block] = options.blocks("deregistration_protection");
  if (!block) return undefined;
  const [isEnabled, cooldown] = [block.flag("enabled"), block.flag("with_cooldown")];
  block.dropRest({});
  if (!isEnabled) return undefined;
  return cooldown ? "enabled-with-cooldown" : "enabled-without-cooldown";
}

function orAbsent(list: readonly string[]): string[] | undefined {
  return list.length > 0 ? [...list] : undefined;
}
