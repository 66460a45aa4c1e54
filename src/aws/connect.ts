import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import type { Link } from "./client.ts";
import type { Account, CloudOptions } from "./cloud.ts";

/** What is the same for all services of an account. */
export type Base = Omit<Link, "client" | "service">;

type Settings = {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials: NonNullable<CloudOptions["credentials"]> | ReturnType<typeof fromNodeProviderChain>;
  readonly maxAttempts: number;
  readonly retryMode: "standard";
  readonly requestHandler: { readonly connectionTimeout: number; readonly socketTimeout: number };
};

const connectMs = 10_000;

/** The settings that every client of an account shares. Credentials are looked for when the first request needs them. */
export function toSettings({ account, patience }: Base, options: CloudOptions): Settings {
  const { endpointUrl, credentials } = options;
  return {
    region: account.region,
    credentials: credentials ?? chainOf(account),
    maxAttempts: patience.attempts,
    // Adaptive mode would go on at two seconds a request after one refusal: measured, and too slow for so few requests.
    retryMode: "standard",
    // Silence is limited, not duration: a part of 10 MiB may take its time on a thin line.
    requestHandler: { connectionTimeout: connectMs, socketTimeout: patience.silenceMs },
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
  };
}

const chains = new Map<string | undefined, ReturnType<typeof fromNodeProviderChain>>();

/**
 * The chain that the AWS CLI has too: environment, profile (keys, role, process, single sign-on), container,
 * instance. One for all regions of a profile, so that a role is assumed and a process asked only once.
 */
function chainOf({ profile }: Account): ReturnType<typeof fromNodeProviderChain> {
  const chain =
    chains.get(profile) ?? fromNodeProviderChain(profile === undefined ? {} : { profile, logger: silent });
  chains.set(profile, chain);
  return chain;
}

/** The SDK warns on the console when a profile is named and keys are in the environment; the spec said which it wants. */
const silent = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};

function ignore(): void {}
