import type { Diagnostic, Place } from "../diagnostic.ts";
import { toLeftover } from "./leftovers.ts";
import type { Reason } from "./options.ts";

const credentials = "the spec holds no credentials";
const giveCredentials =
  "name a profile of ~/.aws under regions, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const noEbs = "the image has an instance store root, without volumes or snapshots";
const ownPatience = "imgspec waits and retries by itself";
const onlyTypes = "there is no such thing on the instance types with an instance store root";
const notYet = "imgspec has no such setting";

/** Options of the builder that a spec has no key for. What ends with `*` stands for all that begin so. */
export const builderReasons: Readonly<Record<string, Reason>> = {
  access_key: [credentials, giveCredentials],
  secret_key: [credentials, giveCredentials],
  token: [credentials, "set AWS_SESSION_TOKEN, or name a profile of ~/.aws under regions"],
  mfa_code: [credentials, "log in before the build, and name the profile under regions"],
  assume_role: [credentials, "have a profile of ~/.aws with role_arn, and name it under regions"],
  vault_aws_engine: [credentials, "fetch them before the build, into the environment"],
  shared_credentials_file: ["the SDK reads it from the environment", "set AWS_SHARED_CREDENTIALS_FILE"],
  custom_endpoint_ec2: [notYet, "try a build without AWS: imgspec build image.yaml --emulate"],
  insecure_skip_tls_verify: ["imgspec always checks the server's certificate"],
  decode_authorization_messages: [notYet, "aws sts decode-authorization-message tells what a message means"],
  aws_polling: [ownPatience],
  max_retries: [ownPatience],
  skip_credential_validation: ["imgspec always looks at the credentials before it begins"],
  skip_metadata_api_check: ["it is about credentials", giveCredentials],
  skip_region_validation: ["imgspec always asks EC2 for the region"],
  skip_profile_validation: ["imgspec leaves that to EC2"],
  account_id: ["the account is that of the credentials"],
  bundle_destination: ["the bundle goes to S3 part by part, with no copy on the instance's disk"],
  x509_upload_path: ["your certificate and private key stay on this machine"],
  ami_product_codes: [
    "imgspec gives an AMI no product codes",
    "give them afterwards: aws ec2 modify-image-attribute --product-codes",
  ],
  ami_regions: [
    "imgspec builds an image for each region that stands under regions, with a bucket there",
    "add the region under regions, with what differs there: source and upload.bucket",
  ],
  force_deregister: [
    "imgspec never deregisters another AMI",
    "give the AMI a name of its own: build.id in register.name",
  ],
  force_delete_snapshot: [noEbs],
  encrypt_boot: [noEbs],
  kms_key_id: [noEbs],
  region_kms_key_ids: [noEbs],
  snapshot_tags: [noEbs],
  snapshot_tag: [noEbs],
  snapshot_users: [noEbs],
  snapshot_groups: [noEbs],
  snapshot_copy_duration_minutes: [noEbs],
  skip_save_build_region: [noEbs],
  ebs_optimized: [noEbs],
  run_volume_tags: [noEbs],
  run_volume_tag: [noEbs],
  launch_block_device_mappings: [
    "the instance of the build gets the volumes that its AMI maps",
    "map them in the source AMI; those of the new AMI are register.blockDeviceMappings",
  ],
  no_ephemeral: [notYet],
  tpm_support: [onlyTypes],
  associate_public_ip_address: [
    "the subnet decides",
    "use a subnet that gives public addresses, or connect.address: private",
  ],
  availability_zone: ["imgspec takes the zone of the subnet", "name a subnet in it: launch.subnet"],
  vpc_id: ["the subnet says it", "launch.subnet"],
  vpc_filter: ["a subnet is named, not searched for", "launch.subnet"],
  subnet_filter: ["a subnet is named, not searched for", "launch.subnet"],
  security_group_filter: ["security groups are named, not searched for", "launch.securityGroups"],
  temporary_security_group_source_public_ip: ["the temporary group lets in this machine's address only"],
  temporary_key_pair_name: ["the temporary key pair is named after the run"],
  temporary_key_pair_type: ["imgspec chooses the kind of the temporary key"],
  temporary_key_pair_bits: ["imgspec chooses the kind of the temporary key"],
  temporary_iam_instance_profile_policy_document: [
    "imgspec makes no role for the instance: bundling needs none",
    "name an instance profile: launch.iamInstanceProfile",
  ],
  "spot_*": ["imgspec launches on demand only"],
  block_duration_minutes: ["imgspec launches on demand only"],
  fleet_tags: ["imgspec launches on demand only"],
  fleet_tag: ["imgspec launches on demand only"],
  "capacity_reservation_*": [notYet],
  placement: [notYet],
  tenancy: [notYet],
  host_id: [notYet],
  license_specifications: [notYet],
  shutdown_behavior: ["the instance is terminated at the end in any case"],
  disable_stop_instance: ["the instance is bundled while it runs"],
  enable_nitro_enclave: [onlyTypes],
  enable_t2_unlimited: [onlyTypes],
  enable_unlimited_credits: [onlyTypes],
  "windows_*": ["imgspec builds Linux images"],
  "winrm_*": ["imgspec builds Linux images"],
  pause_before_connecting: ["imgspec tries to log in until connect.timeout ends"],
  pause_before_ssm: ["imgspec logs in by SSH"],
  session_manager_port: ["imgspec logs in by SSH"],
  ssh_handshake_attempts: ["imgspec tries until connect.timeout ends"],
  ssh_host: ["the address is that of the instance", "connect.address: public or private"],
  ssh_pty: ["scripts run without a terminal; a sudo with requiretty gets one by itself"],
  ssh_ciphers: [notYet],
  ssh_key_exchange_algorithms: [notYet],
  ssh_certificate_file: [notYet, "use a key pair of EC2's, or an SSH agent: connect.agent"],
  ssh_disable_agent_forwarding: ["the agent is never forwarded"],
  ssh_file_transfer_method: ["imgspec needs neither scp nor sftp"],
  ssh_keep_alive_interval: [ownPatience],
  ssh_read_write_timeout: [ownPatience],
  ssh_remote_tunnels: [notYet],
  ssh_local_tunnels: [notYet],
  ssh_clear_authorized_keys: [
    "the build's own key is always left out of the image",
    "bundle.hygiene.authorizedKeys: scrub leaves out all",
  ],
};

const otherTools: Readonly<Record<string, string>> = {
  "ansible-local": "upload the playbook, and run ansible-playbook in a shell step",
  "salt-masterless": "upload the states, and run salt-call --local in a shell step",
  "puppet-masterless": "upload the manifests, and run puppet apply in a shell step",
  "chef-solo": "upload the cookbooks, and run chef-solo in a shell step",
};

/** A provisioner that imgspec has no step for. */
export function otherProvisioner(type: string, place: Place): Diagnostic {
  const hint = otherTools[type] ?? "do it in a shell step, or with a local step";
  if (type === "error-cleanup-provisioner")
    return toLeftover(place, type, "no step runs after a failure; the instance is given back in any case");
  return toLeftover(place, `provisioner "${type}"`, "imgspec has no such step", hint);
}

const processors: Readonly<Record<string, string>> = {
  manifest: "imgspec-result.json has the AMIs, bundles and digests of each run",
  "shell-local": "run it behind imgspec build, which ends with 0 when all went well",
  "amazon-import": "imgspec upload and imgspec bundle do by hand what a build does",
};

/** A post-processor: imgspec has none. */
export function postProcessor(type: string, place: Place): Diagnostic {
  const hint = processors[type] ?? "read imgspec-result.json, which each run writes, in a command of yours";
  return toLeftover(place, `post-processor "${type}"`, "nothing is run after the build", hint);
}

/** A builder of another kind. */
export function otherBuilder(type: string, name: string, place: Place): Diagnostic {
  return toLeftover(place, `builder "${name}"`, `imgspec builds what amazon-instance does, not ${type}`);
}
