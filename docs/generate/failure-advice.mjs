/** What each code of a failure means, and what to do. Markdown, relative to docs/reference. */
export const failureAdvice = {
  "usage-wrong": [
    "The command line is wrong: an option that there is not, or two that exclude each other.",
    "Look at `imgspec COMMAND --help` or [the commands](cli.md).",
  ],
  "spec-invalid": [
    "The spec, a template or a manifest that was to be imported, has mistakes. Nothing was created.",
    "Each mistake has its place and its own code: see [below](#mistakes-in-a-spec).",
  ],
  "file-unreadable": [
    "A file that was named is not there, may not be read, or is not what it should be.",
    "Check the path. Paths in a spec are relative to the file that names them, those of a command to where it is run.",
  ],
  "preflight-failed": [
    "What a build needs was looked at before anything was created, and several things are wrong.",
    "They are listed, each with its hint. Mend them all, then build again.",
  ],
  "credentials-missing": [
    "No AWS credentials were found for a region.",
    "Set `AWS_PROFILE`, log in (`aws sso login`), or name a `profile` under the region: [credentials](../aws.md#credentials). China and GovCloud have accounts of their own.",
  ],
  "permission-denied": [
    "AWS refused a call: the credentials do not allow it. The message names the action.",
    "Allow it: [the policy](../aws.md#permissions) has every action that a build calls. In China and GovCloud ARNs begin with `arn:aws-cn` and `arn:aws-us-gov`.",
  ],
  "clock-skewed": [
    "A clock is wrong by more than AWS allows: that of this machine or that of the instance.",
    "Set it: `sudo timedatectl set-ntp true`, on the instance `chronyc makestep` in a first step.",
  ],
  "source-missing": [
    "The source AMI is not there, not available, not instance store-backed, or the search finds none or several.",
    "AMI ids differ from region to region. Set `source.find.newest: true` for the newest of several, or narrow the name: [choose a source](../spec.md#choose-a-source).",
  ],
  "bucket-unusable": [
    "The bucket does not exist, is in another region, has its ACLs switched off, or holds another bundle at that place.",
    "Make one in the image's region and let ACLs in: [a bucket](../aws.md#a-bucket). Keep `build.id` in `upload.prefix`, so that bundles never meet.",
  ],
  "name-taken": [
    "An AMI of that name exists in the account and region.",
    "Put `build.id` into `register.name`, or deregister the other image.",
  ],
  "certificate-unusable": [
    "A certificate or private key cannot be read, is not a pair with the other, or is not EC2's for the region.",
    "Look at it with `imgspec cert show`. Leave `certificate.ec2` out and the region's key is used: [certificates](../spec.md#certificates).",
  ],
  "capacity-missing": [
    "EC2 has no room for any of the instance types, now and in that zone.",
    "Add types to `launch.instanceTypes`, or name a `launch.subnet` in another zone; or try later.",
  ],
  "sandbox-unavailable": [
    "This machine cannot start the emulator's sandbox instances.",
    "What is missing is named; [the emulator](../emulator.md) says what it takes. On macOS use a virtual machine or a container.",
  ],
  "vm-unavailable": [
    "This machine cannot start the emulator's virtual machines.",
    "Install QEMU and what else is named: [instances that boot](../emulator.md#instances-that-boot).",
  ],
  "check-failed": [
    "The instance is not as a `check` step says.",
    "The message names everything that does not hold, with what was found: mend the steps before it, or what it expects.",
  ],
  "plugin-failed": [
    "A plugin ended a step with an error of its own.",
    "The hint has the file and line where it was thrown: mend the plugin, or tell its author. See [plugins](../plugins.md).",
  ],
  "command-failed": [
    "A step ended with an exit code that does not count as success.",
    "The last lines of what it printed are shown. Try it without cost with `--emulate`, or keep the instance for a look with `--on-failure keep`.",
  ],
  "command-timeout": [
    "A step took longer than it may.",
    "Raise its `timeout` if it is only slow. A program that waits for an answer gets none: its stdin is empty.",
  ],
  "connect-failed": [
    "SSH to the instance did not work, or the connection was lost for good.",
    "Check `connect.user`, the way (`connect.address`, [bastions and proxies](../connect.md)), and that the security group lets this machine in (`launch.allowFrom`).",
  ],
  "host-key-changed": [
    "Somebody answers with another host key than the instance's console shows, or than the spec says.",
    "Do not go on from this network until you know why. An AMI that prints no host keys needs `connect.hostKey`: [host keys](../connect.md).",
  ],
  "bundle-invalid": [
    "A bundle is damaged, or is not what its manifest says; or a disk cannot be bundled.",
    "`imgspec verify` tells which part: [bundles by hand](../bundles.md). For disks that are refused see [limits](../limits.md).",
  ],
  "not-convertible": [
    "An image cannot become one that boots from EBS: no instance could boot it, or it does so already.",
    "The message says why: [what a conversion needs](../convert.md#what-it-needs). Nothing was created.",
  ],
  "snapshot-failed": [
    "EBS did not complete a snapshot: what was sent is not what it has, or it may not use the KMS key.",
    "The message has EBS's own words. The snapshot was deleted; convert again: [when it is stopped](../convert.md#when-it-is-stopped).",
  ],
  "upload-failed": [
    "S3 does not hold what was sent, or did not take it.",
    "Look at `s3:PutObject` and `s3:PutObjectAcl` of the builder's credentials, and at the way from the instance to S3; `bundle.at: builder` uploads from here.",
  ],
  "manifest-refused": [
    "EC2 read the bundle and did not take it.",
    "Mostly the bundle is for another EC2 key, account or region. The checks before registering find that, unless `certificate.allowMismatch` is set or a command of your own bundles.",
  ],
  "image-mismatch": [
    "The registered AMI is not what the spec asked for.",
    "Set `register.architecture` and `register.virtualization` to what the image is. The AMI was deregistered again.",
  ],
  "publish-failed": [
    "The AMI is registered and proven, and stays; but what `publish` says of it (sharing, deprecation, protection) was refused in part or as a whole.",
    "The hint has each of the commands by which it is done by hand. A public AMI needs its account's block public access for AMIs to be off.",
  ],
  "image-missing": [
    "The account has no image of this id in the regions that were asked.",
    "See what there is with `imgspec image list --all`. Was it deregistered and its bundle left, name that with `--bundle`: [images](../images.md#finish-what-was-begun).",
  ],
  "image-in-use": [
    "An instance or a launch template uses the image, another image is registered from the same bundle, or it is protected from deregistration.",
    "The message names what it is. End it or give it another image, or say `--force`; what takes a protection away is in the hint: [images](../images.md#what-is-in-use).",
  ],
  "boot-failed": [
    "No instance of the new AMI booted, or one of its tests failed.",
    "Read the saved console output, whose path is in the error. What keeps images from booting: [what gets into an image](../volume-copy.md).",
  ],
  "aws-fault": [
    "AWS answered with an error that imgspec has no name for, or with nothing that makes sense.",
    "The message has AWS's own words and the request id. Calls that may succeed later were tried again already.",
  ],
  "network-failed": [
    "AWS, or an emulator, cannot be reached.",
    "Check network, DNS, firewall and proxy (`HTTPS_PROXY`; a company's certificate in `NODE_EXTRA_CA_CERTS`), and the region's name.",
  ],
  timeout: [
    "Something on AWS's side did not become ready in its time.",
    "The message says what: raise `launch.timeout`, `connect.timeout` or `verify.timeout`, or build again.",
  ],
  "disk-full": [
    "A disk of this machine is full.",
    "With `bundle.at: builder` the compressed bundle is kept under `--state-dir`: put that on a larger disk, or use `bundle.at: instance`.",
  ],
  "journal-unusable": [
    "The journal of a run cannot be written or read, or another process is at work on it.",
    "Without a journal nothing is created. Wait for the other process, or see [the journal](../journal.md).",
  ],
  "result-unwritable": [
    "`imgspec-result.json` cannot be written.",
    "Name another place with `--result FILE`. The images of the run are listed in the output, too.",
  ],
  "cleanup-incomplete": [
    "Something that costs money could not be given back.",
    "Each thing is listed with the `aws` command that removes it; `imgspec clean RUN` tries all of it again.",
  ],
  interrupted: [
    "The run was stopped by Ctrl-C, `kill`, or a closed terminal.",
    "What it held was given back. After a second Ctrl-C run `imgspec clean RUN`.",
  ],
};

/** Codes that are no `Problem` of their own. */
export const otherAdvice = {
  "template-invalid": [
    "A template of Packer's in HCL2 cannot be read from this place on.",
    "Try `packer validate` (or `packer fmt`) on it: [from Packer](../from-packer.md).",
  ],
  "not-carried-over": [
    "`imgspec import` found something that a spec has no place for.",
    "The hint says what to do instead. It stands at the head of the new spec, too.",
  ],
  bug: [
    "An error that nobody foresaw; the process ends with 1.",
    "Please report it with the lines that were printed. What the run held is in its journal: `imgspec clean`.",
  ],
};
