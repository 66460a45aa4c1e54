// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { expect, test } from "vitest";
import { least, refusalOf, specOf } from "./reading.ts";

const matrix = `${least}matrix:
  arch: [x86_64, i386]
  n: [1, true]
  exclude: [{ arch: i386, n: 1 }, { n: true, region: eu-west-1 }]
  include: [{ arch: arm, n: 2 }, { arch: x y, n: 3, region: eu-west-1 }]
`;
const lines = `launch: { tags: { n: "n\${{ matrix.n }}", bits: "\${{ matrix.arch == 'i386' ? '32' : '64' }}" } }
regions: { us-east-1: {}, eu-west-1: {} }
`;

test("each region has an image for each combination, but for those that are excluded, and those that are added", async () => {
  const { images } = await specOf(
    `${matrix.replace("launch: { instanceTypes: [m3.medium] }\n", "")}${lines.replace("tags:", "instanceTypes: [m3.medium], tags:")}`,
  );
  expect(images.map(({ region, variant, launch }) => [region.name, variant, launch.tags])).toEqual([
    ["us-east-1", "x86_64-1", { n: "n1", bits: "64" }],
    ["us-east-1", "x86_64-true", { n: "ntrue", bits: "64" }],
    ["us-east-1", "i386-true", { n: "ntrue", bits: "32" }],
    ["us-east-1", "arm-2", { n: "n2", bits: "64" }],
    ["eu-west-1", "x86_64-1", { n: "n1", bits: "64" }],
    ["eu-west-1", "arm-2", { n: "n2", bits: "64" }],
    ["eu-west-1", "x_y-3", { n: "n3", bits: "64" }],
  ]);
});

test("names and places that the spec leaves open are different for each combination", async () => {
  const { images } = await specOf(`${matrix}regions: { us-east-1: {} }\n`);
  expect(images.map(({ register, upload }) => [register.name, upload.prefix])).toEqual(
    ["x86_64-1", "x86_64-true", "i386-true", "arm-2"].map((variant) => [
      `web-${variant}-20261122-213330-k3v9`,
      `web/20261122-213330-k3v9/${variant}`,
    ]),
  );
});

test("a matrix that leaves nothing, or what it cannot match, is told", async () => {
  const told = (lines: string): Promise<string[]> =>
    refusalOf(specOf(`${least}matrix: ${lines}\nregions: { us-east-1: {} }\n`));
  expect(await told("{ a: [1], exclude: [{ a: 1 }] }")).toEqual([
    "matrix-wrong the matrix leaves no image to build",
  ]);
  expect(await told('{ a: [1, 2], exclude: [{ a: "1" }, { region: us-eats-1 }] }')).toEqual([
    'matrix-wrong a is never "1" here',
    'matrix-wrong region is never "us-eats-1" here',
  ]);
  expect(await told('{ a: ["x y", x_y] }')).toContain(
    'image-twice two combinations are both called "us-east-1.x_y"',
  );
});
