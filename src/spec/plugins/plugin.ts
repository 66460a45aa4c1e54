import type { Json } from "../../util/json.ts";

/** What a plugin's module exports as its default (docs/plugins.md). It needs to import nothing of imgspec but types. */
export type Plugin = {
  /** The version of this interface. */
  readonly imgspec: 1;
  /** What people read: letters, digits, `-`, `.`, `_`, and for a package also its scope. */
  readonly name: string;
  /** By the key of a step under `provision`. */
  readonly provisioners: { readonly [kind: string]: Provisioner };
};

/** A kind of step under `provision`. `Options` is what its schema lets in, with defaults filled in. */
export type Provisioner<Options extends object = PluginOptions> = {
  /** Of the options: JSON Schema, draft-07, for a map. imgspec adds the keys `timeout` and `retries`. */
  readonly schema: PluginSchema;
  /** A few words for the plan, behind the kind of the step. Must be the same each time; knows no secret. */
  describe?(options: Options): string;
  /** What is wrong with the options that the schema cannot say. Called whenever a spec is read, also without a build. */
  check?(options: Options): Iterable<PluginMistake>;
  /** Provisions the instance. What it throws fails the build. */
  run(context: ProvisionContext, options: Options): Promise<void>;
};

export type PluginOptions = { readonly [key: string]: Json };

/**
 * JSON Schema, draft-07, and two keywords beside it: `sensitive: true` lets the value of a sensitive variable stand there,
 * which the plugin is given as a `Secret`; `patternErrorMessage` is what a mistake in the pattern is told as.
 */
export type PluginSchema = { readonly [keyword: string]: unknown };

export type PluginMistake = {
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Keys and indexes from the options to the value; absent: the options as a whole. */
  readonly at?: readonly (string | number)[];
};

/** The value of a key with `sensitive: true`: `ProvisionContext.secret` gives its text. */
export type Secret = string | { readonly $secret: string };

/** What a provisioner may do. What works on the instance is done one after the other, in the order it was asked for. */
export type ProvisionContext = {
  /** Aborted when the build is stopped or the step's timeout is over. A provisioner that ends then is not waited for long. */
  readonly signal: AbortSignal;
  /** `user`: who commands run as. */
  readonly instance: {
    readonly id: string;
    readonly type: string;
    readonly host: string;
    readonly port: number;
    readonly user: string;
  };
  readonly region: string;
  /** The AWS profile of the spec; null: the default credentials. */
  readonly profile: string | null;
  /** Of the build: `20261122-213330-k3v9`. */
  readonly buildId: string;
  /** Absolute: the folder of the spec, which local paths are relative to. */
  readonly directory: string;
  /**
   * Runs a script on the instance, shown line by line as it prints; without a `#!` line by `/bin/sh` with `set -eu`. Rejects when
   * its exit code is none of `exitCodes`, or it takes too long.
   */
  run(script: string, options?: ScriptRunOptions): Promise<ScriptOutput>;
  /** Copies a local file or directory to the instance. */
  upload(from: string, to: string, options?: CopyOptions): Promise<void>;
  /** Copies a file of the instance here. */
  download(from: string, to: string): Promise<void>;
  /** Shows people a line. */
  log(line: string): void;
  /** The text of a secret, masked from now on wherever the build speaks. */
  secret(value: Secret): string;
  /** Masks a value from now on wherever the build speaks. */
  hide(value: string): void;
};

export type ScriptRunOptions = {
  readonly sudo?: boolean;
  /** Handed over on the script's stdin: the way for secrets. */
  readonly env?: { readonly [name: string]: string };
  /** A directory on the instance. Absent: the user's home. */
  readonly workdir?: string;
  /** Absent: what is left of the step's. */
  readonly timeoutSeconds?: number;
  /** Those that count as success. Absent: only 0. */
  readonly exitCodes?: readonly number[] | "any";
};

/** The last 64 KiB of each output. A script that a signal ended has the code that a shell gives it. */
export type ScriptOutput = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type CopyOptions = {
  /** Octal digits, such as `"0644"`. Absent: as the local file's. */
  readonly mode?: string;
  readonly sudo?: boolean;
};
