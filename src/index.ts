/** What a program may import. Covered by semantic versioning, as are the schemas and the exit codes. */

export type { Cloud, CloudOptions } from "./aws/cloud.ts";
export { toCloud } from "./aws/sdk-cloud.ts";
export {
  type BundleOptions,
  bundleImage,
  largestImageBytes,
  type MadeBundle,
} from "./bundle/bundle-image.ts";
export type { BundlePart, BundleSink } from "./bundle/bundle-sink.ts";
export { type CertificateFacts, describeCertificate, isPair } from "./bundle/describe-certificate.ts";
export { directorySink } from "./bundle/directory-sink.ts";
export { ec2KeyPins, ec2PublicKey } from "./bundle/ec2-keys.ts";
export { type ImageSource, openImage, streamImage } from "./bundle/image-source.ts";
export type {
  BundledImage,
  MachineConfiguration,
  Manifest,
  ManifestPart,
  Mapping,
} from "./bundle/manifest.ts";
export { type Fate, type MigrateOptions, migrateManifest } from "./bundle/migrate-manifest.ts";
export { type OpenedBundle, openBundle, toOpenedBundle } from "./bundle/opened-bundle.ts";
export { type OpenPart, partsIn } from "./bundle/part-source.ts";
export { decryptPrivateKey } from "./bundle/pem.ts";
export { readManifest } from "./bundle/read-manifest.ts";
export { openSparseImage } from "./bundle/sparse-image.ts";
export { type UnbundledImage, type UnbundleOptions, unbundle } from "./bundle/unbundle.ts";
export {
  type CertificateOptions,
  checkPair,
  newUserCertificate,
  type UserCertificate,
} from "./bundle/user-certificate.ts";
export { type Check, type Verification, type VerifyOptions, verifyBundle } from "./bundle/verify-bundle.ts";
export { type BuildOptions, build } from "./command/build.ts";
export type { Diagnostic, Place } from "./diagnostic.ts";
export { Problem, type ProblemCode } from "./problem.ts";
export type { Result } from "./report/result.ts";
export type { RunEvent } from "./run/event.ts";
export type {
  CopyOptions,
  Plugin,
  PluginMistake,
  PluginOptions,
  PluginSchema,
  ProvisionContext,
  Provisioner,
  ScriptOutput,
  ScriptRunOptions,
  Secret,
} from "./spec/plugins/plugin.ts";
export { type BundleInS3, openBundleInS3 } from "./store/bundle-in-s3.ts";
export { type Downloaded, type DownloadOptions, downloadBundle } from "./store/download-bundle.ts";
export { type MigrateBundleOptions, type Migrated, migrateBundle } from "./store/migrate-bundle.ts";
export { type Uploaded, type UploadOptions, uploadBundle } from "./store/upload-bundle.ts";
export type { CertificateVariant } from "./util/region.ts";
