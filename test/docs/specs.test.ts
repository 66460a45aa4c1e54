import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { Problem } from "../../src/problem.ts";
import { readSpec } from "../../src/spec/read-spec.ts";
import { blocks } from "./pages.ts";

/** What the specs of the pages name. */
const files = [
  ...[
    "scripts/install.sh",
    "scripts/provision-app.py",
    "files/app.conf",
    "files/host-keys.yaml",
    "certs/cert-ec2.pem",
    "keys/cert.pem",
    "keys/pk.pem",
  ],
  ...["common.yaml", "regions/cn-north-1.yaml", "host-keys.yaml", "ansible/site.yml"],
];

/** A block that is not a whole spec shows some sections of one: this has the others. */
const least = {
  imgspec: 1,
  name: "web-base",
  source: { image: "ami-0123456789abcdef0" },
  launch: { instanceTypes: ["m3.medium"] },
  connect: { user: "ec2-user" },
  upload: { bucket: "acme-images" },
  regions: { "us-east-1": {} },
};

const environment = {
  GIT_COMMIT: "0f1e2d3",
  IMGSPEC_VAR_token: "secret",
  IMGSPEC_VAR_password: "secret",
  IMGSPEC_VAR_sudoPassword: "secret",
  IMGSPEC_VAR_proxyPassword: "secret",
  IMGSPEC_VAR_loginPassword: "secret",
};

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-docs-"));
  for (const file of files) {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), file.endsWith(".yaml") ? "provision: []\n" : "");
  }
  const [plugin] = blocks("js").filter(({ place }) => place.startsWith("docs/plugins.md"));
  await mkdir(join(directory, "plugins"));
  await writeFile(join(directory, "plugins/motd.mjs"), plugin?.text ?? "");
});

afterAll(() => rm(directory, { recursive: true, force: true }));

test("there are specs in the pages", () => {
  expect(blocks("yaml").length).toBeGreaterThan(5);
});

test.each(blocks("yaml"))("$place is a valid spec", async ({ text, place }) => {
  const path = join(directory, `${place.replaceAll(/\W/g, "-")}.yaml`);
  const isWhole = /^imgspec:/m.test(text);
  await writeFile(path, isWhole ? text : stringify({ ...least, ...(parse(text) as object) }));
  expect(await mistakesOf(path)).toEqual([]);
});

async function mistakesOf(path: string): Promise<readonly string[]> {
  const build = { id: "20261122-213330-k3v9", now: new Date(Date.UTC(2026, 10, 22)) };
  try {
    const { warnings } = await readSpec(path, { variables: {}, environment, build });
    return warnings.map(({ code, message }) => `${code} ${message}`);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.diagnostics.map(({ code, message }) => `${code} ${message}`);
  }
}
