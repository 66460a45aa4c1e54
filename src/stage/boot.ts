import type { CheckedImage } from "./preflight.ts";
import type { RegisteredImage } from "./register.ts";
import type { Stage } from "./stage.ts";
import { type TryOutInput, tryOut, type Verdict } from "./try-out.ts";

export type BootInput = TryOutInput & {
  /** The tasks whose resources become the product once the image has passed: its objects and itself. */
  readonly products: readonly string[];
};

/** An image that has booted and passed its tests. */
export type BootedImage = RegisteredImage & { readonly instanceId: string; readonly testCount: number };

const verdict: Verdict = {
  code: "boot-failed",
  what: "did not pass its boot gate",
  hint: null,
};

/** The gate: only an image that boots and passes its tests is kept. */
export const boot: Stage<BootInput, BootedImage> = {
  kind: "verify.boot",
  title: "Launch the new image and test it",
  exitCode: 7,
  summarize: ({ instanceId, testCount }) =>
    `booted as ${instanceId}${testCount === 0 ? "" : `, ${testCount} test${testCount === 1 ? "" : "s"} passed`}`,
  run: async ({ products, ...input }, context) => {
    const { instanceId } = await tryOut(withGateTypes(input), verdict, context);
    await context.scope.keepOf(products);
    await context.scope.releaseOf([context.task]);
    return { ...input.registered, instanceId, testCount: input.tests.length };
  },
};

function withGateTypes(input: TryOutInput): TryOutInput {
  const { checked } = input;
  const types: CheckedImage["gateTypes"] = checked.gateTypes;
  return { ...input, checked: { ...checked, instanceTypes: types ?? checked.instanceTypes } };
}
