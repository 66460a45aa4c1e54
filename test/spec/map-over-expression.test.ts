// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { expect, test } from "vitest";
import { least, refusalOf, specOf } from "./reading.ts";

const head = least.replace("launch: {", 'launch: { tags: "${{ vars.tags }}",');
const variables = `variables:
  tags: { default: { team: all, cost: "1" } }
`;

test("a map over an expression is merged with what that gives, in each region", async () => {
  const { images } = await specOf(`${head}${variables}
presets:
  eu: { launch: { tags: { team: web, zone: "\${{ region.name }}" } } }
  more: { launch: { tags: { zone: more } } }
regions:
  us-east-1: { launch: { tags: { team: us } } }
  eu-west-1: { preset: eu }
  eu-west-2: { preset: [eu, more], launch: { tags: "\${{ {'a': 'b'} }}" } }
`);
  expect(images.map(({ launch }) => launch.tags)).toEqual([
    { team: "us", cost: "1" },
    { team: "web", cost: "1", zone: "eu-west-1" },
    { a: "b" },
  ]);
});

test("what is no map is replaced", async () => {
  const { images } = await specOf(`${head}variables: { tags: { default: none } }
regions: { us-east-1: { launch: { tags: { a: b } } } }
`);
  expect(images[0]?.launch.tags).toEqual({ a: "b" });
});

test("an expression without a value is told below a map as well", async () => {
  const reading = specOf(
    `${head.replace("vars.tags", "vars.tgas")}${variables}regions: { us-east-1: { launch: { tags: { a: b } } } }\n`,
  );
  expect(await refusalOf(reading)).toEqual(['expression-unknown-name there is no "tgas" in vars']);
});
