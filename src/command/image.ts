import type { Command } from "commander";
import { addImageDeregister } from "./image-deregister.ts";
import { addImageList } from "./image-list.ts";
import { addImageRetain } from "./image-retain.ts";
import { addImageShow } from "./image-show.ts";

/** `imgspec image`: the images that builds have left in an account. */
export function addImage(program: Command, exit: (code: number) => void): void {
  const image = program
    .command("image")
    .description(
      "List the images that imgspec built, look at one, and take old ones away with their bundles.",
    );
  for (const add of [addImageList, addImageShow, addImageDeregister, addImageRetain]) add(image, exit);
}
