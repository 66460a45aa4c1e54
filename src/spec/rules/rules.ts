import type { Finding } from "../finding.ts";
import type { WrittenImage } from "../image.gen.ts";
import { amiToolsCanDoIt, placeholdersAreKnown } from "./ami-tools.ts";
import { bundleSizeFits, globsAreAbsolute, imageFilesExist } from "./bundle.ts";
import {
  certificateFilesExist,
  certificateIsComplete,
  certificateIsNoKey,
  ec2KeyIsKnown,
  ec2KeyIsTheRegions,
} from "./certificate.ts";
import { doorIsOpen, keyFilesExist, keysAreComplete, passwordsAreSecret } from "./connect.ts";
import { instanceTypesCanStoreRoot, rangesAreCidr } from "./launch.ts";
import { filesExist, namesOfEnvironment, oneScript } from "./provision.ts";
import { deprecationIsAhead } from "./publish.ts";
import { devicesAreTaken, imageName, paravirtualNeedsKernel } from "./register.ts";
import type { Rule, RuleContext } from "./rule.ts";
import { oneSource, ownersAreAccounts } from "./source.ts";
import { tagsAreTaken } from "./tags.ts";
import { bucketName, prefixHasNoEmptyParts } from "./upload.ts";
import { assertionsArePatterns, consoleIsPattern, testsAreRun } from "./verify.ts";

const rules: readonly Rule[] = [
  oneSource,
  ownersAreAccounts,
  ...instanceTypesCanStoreRoot,
  rangesAreCidr,
  passwordsAreSecret,
  keysAreComplete,
  keyFilesExist,
  doorIsOpen,
  oneScript,
  filesExist,
  namesOfEnvironment,
  bundleSizeFits,
  ...globsAreAbsolute,
  imageFilesExist,
  certificateIsComplete,
  certificateIsNoKey,
  certificateFilesExist,
  ec2KeyIsKnown,
  ec2KeyIsTheRegions,
  bucketName,
  prefixHasNoEmptyParts,
  imageName,
  paravirtualNeedsKernel,
  devicesAreTaken,
  tagsAreTaken,
  placeholdersAreKnown,
  amiToolsCanDoIt,
  consoleIsPattern,
  assertionsArePatterns,
  testsAreRun,
  deprecationIsAhead,
];

/** What all rules find in an image. Rules whose needs are not sound are left out. */
export function* findingsOf(image: WrittenImage, context: RuleContext): Iterable<Finding> {
  for (const rule of rules) {
    if (rule.needs.every(context.isSound)) yield* rule.find(image, context);
  }
}
