// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { expect, test } from "vitest";
import { least, specOf } from "./reading.ts";

test("images share what is the same in them, and nothing else", async () => {
  const { images, secrets } = await specOf(
    `${least}variables:
  release: { default: "1" }
  token: { sensitive: true }
matrix: { role: [web, db] }
provision:
  - shell:
      inline: x
      env:
        ALL: \${{ vars.release }}
        ROLE: \${{ matrix.role + vars.release }}
        REGION: \${{ region.name }}
        BOTH: \${{ region.name }}/\${{ matrix.role }}
        LOOP: \${{ ['a'].map(x, x + matrix.role)[0] }}
        TOKEN: \${{ vars.token }}
register: { name: "\${{ name }}-\${{ matrix.role }}-\${{ build.id }}" }
regions: { us-east-1: {}, eu-west-1: { register: { tags: { at: "\${{ region.name }}" } } } }
`,
    { variables: { token: "SECRET" } },
  );
  const envs = images.map(({ provision: [step], register }) => [
    step?.kind === "shell" && step.env,
    register.name,
    register.tags,
  ]);
  const expected = (region: string, role: string, tags: object): unknown => [
    {
      ALL: "1",
      ROLE: `${role}1`,
      REGION: region,
      BOTH: `${region}/${role}`,
      LOOP: `a${role}`,
      TOKEN: { $secret: `${region}.${role}/provision[0].shell.env.TOKEN` },
    },
    `web-${role}-20261122-213330-k3v9`,
    tags,
  ];
  expect(envs).toEqual([
    expected("us-east-1", "web", {}),
    expected("us-east-1", "db", {}),
    expected("eu-west-1", "web", { at: "eu-west-1" }),
    expected("eu-west-1", "db", { at: "eu-west-1" }),
  ]);
  expect([...secrets.keys()].filter((name) => name.includes("TOKEN"))).toHaveLength(4);
});
