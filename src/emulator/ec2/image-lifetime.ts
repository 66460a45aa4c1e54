import { AwsFault } from "../fault.ts";
import { done, type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { ownImageOf } from "./images.ts";
import { isProtected } from "./protection.ts";
import type { Image } from "./records.ts";

/** The most that EC2 takes, years: of images that everybody may launch, and of others (EnableImageDeprecation reference). */
const mostYears = { public: 2, private: 10 };

const enableDeprecation: Ec2Action = (call) => {
  const image = ownImageOf(call);
  const written = call.params.required("DeprecateAt");
  const at = new Date(written);
  if (Number.isNaN(at.getTime()))
    throw invalidTime(`Value (${written}) for parameter DeprecateAt is invalid.`);
  const isPublic = image.launchPermissions.some(({ group }) => group === "all");
  const years = isPublic ? mostYears.public : mostYears.private;
  const last = new Date();
  last.setUTCFullYear(last.getUTCFullYear() + years);
  if (at.getTime() <= Date.now() || at > last) {
    throw invalidTime(`The deprecation time must be in the future and at most ${years} years from now.`);
  }
  // EC2 rounds seconds to the nearest minute.
  const minute = new Date(Math.round(at.getTime() / 60_000) * 60_000);
  return change(call, image, { deprecatedAt: minute.toISOString() });
};

function invalidTime(text: string): AwsFault {
  return new AwsFault("InvalidParameterValue", text);
}

const disableDeprecation: Ec2Action = (call) => change(call, ownImageOf(call), { deprecatedAt: null });

const enableProtection: Ec2Action = (call) => {
  const cooldown = call.params.flag("WithCooldown");
  return change(call, ownImageOf(call), { protection: { cooldown, disabledAt: null } });
};

const disableProtection: Ec2Action = (call) => {
  const image = ownImageOf(call);
  const { protection } = image;
  if (!protection || !isProtected(image) || protection.disabledAt !== null) return { ...done };
  return change(call, image, { protection: { ...protection, disabledAt: new Date().toISOString() } });
};

function change(call: Ec2Call, image: Image, changes: Partial<Image>): typeof done {
  proceed(call);
  call.region.images.set(image.id, { ...image, ...changes });
  return { ...done };
}

/** How long an image is listed, and whether it can be deregistered. */
export const lifetimeActions: Readonly<Record<string, Ec2Action>> = {
  EnableImageDeprecation: enableDeprecation,
  DisableImageDeprecation: disableDeprecation,
  EnableImageDeregistrationProtection: enableProtection,
  DisableImageDeregistrationProtection: disableProtection,
};
