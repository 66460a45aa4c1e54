import type { Json } from "../util/json.ts";
import { amiTools } from "./ami-tools.ts";
import { prepareAmiTools } from "./ami-tools-prepare.ts";
import { ansible } from "./ansible.ts";
import { boot } from "./boot.ts";
import { breakpoint } from "./breakpoint.ts";
import { bundle } from "./bundle.ts";
import { checkInstance } from "./check-instance.ts";
import { launch } from "./launch.ts";
import { local } from "./local.ts";
import { packages } from "./packages.ts";
import { plugin } from "./plugin.ts";
import { preflight } from "./preflight.ts";
import { program } from "./program.ts";
import { publish } from "./publish.ts";
import { reboot } from "./reboot.ts";
import { register } from "./register.ts";
import { release } from "./release.ts";
import { shell } from "./shell.ts";
import type { Stage } from "./stage.ts";
import { downloadFiles, uploadFiles } from "./transfer.ts";
import { trial } from "./trial.ts";
import { upload } from "./upload.ts";
import { verify } from "./verify.ts";

/** Every stage by the kind that a plan names. A new method of a section is one more line here. */
export const stages: ReadonlyMap<string, Stage<never, Json>> = new Map(
  [
    preflight,
    launch,
    shell,
    uploadFiles,
    downloadFiles,
    local,
    packages,
    checkInstance,
    reboot,
    ansible,
    breakpoint,
    program,
    plugin,
    bundle,
    amiTools,
    prepareAmiTools,
    upload,
    verify,
    register,
    boot,
    release,
    trial,
    publish,
  ].map((stage) => [stage.kind, stage as Stage<never, Json>]),
);
