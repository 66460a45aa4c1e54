// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { expect, test } from "vitest";
import { imageOf, least, refusalOf, specOf } from "./reading.ts";

const declared = `variables:
  text: { default: from-spec }
  port: { default: 22 }
  slow: { type: boolean, default: false }
  ratio: { type: number, default: 0.5 }
register:
  description: \${{ vars.text }} \${{ vars.port }} \${{ vars.slow }} \${{ vars.ratio }}
certificate: { allowMismatch: "\${{ vars.slow }}" }`;

test("a value comes from --var, else from the environment, else from the spec", async () => {
  const environment = { IMGSPEC_VAR_text: "from-environment", IMGSPEC_VAR_port: "23" };
  const descriptions = await Promise.all([
    imageOf(declared),
    imageOf(declared, { environment }),
    imageOf(declared, { environment, variables: { text: "from-var", slow: "true", ratio: "1.5" } }),
  ]);
  expect(descriptions.map(({ register }) => register.description)).toEqual([
    "from-spec 22 false 0.5",
    "from-environment 23 false 0.5",
    "from-var 23 true 1.5",
  ]);
});

test("a value that is one expression keeps its type; whole numbers are CEL's int", async () => {
  const image = await imageOf(declared, { variables: { slow: "true" } });
  expect(image.certificate.allowMismatch).toBe(true);
  const text = least.replace("{ user: ec2-user }", '{ user: ec2-user, port: "${{ vars.port + 2200 }}" }');
  const { images } = await specOf(
    `${text.replace("[m3.medium]", `"\${{ vars.types.split(',') }}"`)}variables: { port: { default: 22 }, types: { default: "m3.large,c3.large" } }\nregions: { us-east-1: {} }\n`,
  );
  expect(images[0]?.connect.port).toBe(2222);
  expect(images[0]?.launch.instanceTypes).toEqual(["m3.large", "c3.large"]);
});

test("only listed environment variables can be used, and build and region say what they are", async () => {
  const lines = `env: [GIT_COMMIT]
register:
  description: "\${{ env.GIT_COMMIT }} \${{ build.id }} \${{ build.date }} \${{ build.time }} \${{ region.certificate == null ? 'none' : region.certificate }}"`;
  const { register } = await imageOf(lines, { environment: { GIT_COMMIT: "abc", HOME: "/root" } });
  expect(register.description).toBe("abc 20261122-213330-k3v9 2026-11-22 213330 commercial");
});

test("a variable that is not declared is a wrong use", async () => {
  expect(await refusalOf(imageOf(declared, { variables: { txet: "x" } }))).toEqual([
    'usage-wrong the spec declares no variable "txet" (did you mean --var text=…?)',
  ]);
  expect(await refusalOf(imageOf("", { variables: { constructor: "x" } }))).toEqual([
    'usage-wrong the spec declares no variable "constructor" (it declares none)',
  ]);
});

test("names that JavaScript's objects have of themselves are names like any other", async () => {
  const lines = `variables: { constructor: { default: a }, toString: { default: b }, hasOwnProperty: { default: c } }
register:
  description: \${{ vars.constructor }}\${{ vars.toString }}\${{ vars["hasOwnProperty"] }}
  tags: { __proto__: x, constructor: y }`;
  const { register } = await imageOf(lines);
  expect(register.description).toBe("abc");
  expect(Object.entries(register.tags)).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
});
