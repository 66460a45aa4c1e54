import type { Account } from "./cloud.ts";

/** A command for people, with the flags by which the AWS CLI reaches the account. */
export function byHand(command: string, { region, profile }: Account): string {
  return `aws ${command} --region ${region}${profile === undefined ? "" : ` --profile ${profile}`}`;
}
