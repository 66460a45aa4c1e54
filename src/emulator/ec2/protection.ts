import type { Image } from "./records.ts";

/** How long a cooldown lasts (User Guide, "Protect an AMI from deregistration"). */
const cooldownMs = 24 * 60 * 60 * 1000;

/** Whether the image cannot be deregistered now. */
export function isProtected({ protection }: Image): boolean {
  if (!protection) return false;
  const { cooldown, disabledAt } = protection;
  return disabledAt === null || (cooldown && Date.now() < Date.parse(disabledAt) + cooldownMs);
}

/** In EC2's words. */
export function toProtection(image: Image): string {
  const { protection } = image;
  if (!protection || !isProtected(image)) return "disabled";
  if (protection.disabledAt !== null) {
    const free = new Date(Date.parse(protection.disabledAt) + cooldownMs);
    return `disabling-until ${free.toISOString()}`;
  }
  return protection.cooldown ? "enabled-with-cooldown" : "enabled-without-cooldown";
}
