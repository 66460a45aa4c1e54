import type { Reason } from "../options.ts";

const users = "users of the image are made by its own scripts or cloud-init";
const inStep = "do it in a shell step";
const fromAmi = "the source AMI has it, or has it not";

/** Plugins of bootstrap-vz that a spec has nothing for. */
export const pluginReasons: Readonly<Record<string, Reason>> = {
  admin_user: [users, "make the user in a shell step; a password belongs into a sensitive variable"],
  ansible: [
    "the playbook runs in the new system",
    'run it from a step: local: ansible-playbook -i "$IMGSPEC_HOST," -u "$IMGSPEC_USER" playbook.yml',
  ],
  apt_proxy: [
    "imgspec has no such setting",
    "write /etc/apt/apt.conf.d/02proxy in a first shell step, and remove it in the last",
  ],
  chef: ["imgspec has no such step", "upload the assets, and run chef-solo in a shell step"],
  cloud_init: [fromAmi, "install cloud-init and write /etc/cloud/cloud.cfg in a shell step"],
  docker_daemon: ["imgspec has no such step", inStep],
  ec2_launch: [
    "imgspec launches the image to prove that it boots",
    "verify: { tests: […] }, or imgspec build --try COMMAND",
  ],
  ec2_publish: ["imgspec does not share an AMI", "share it afterwards: aws ec2 modify-image-attribute"],
  expand_root: [fromAmi, inStep],
  google_cloud_repo: ["it is for another cloud"],
  image_commands: [
    "nothing runs on the image file",
    "bundle.script changes the tree before the image is made",
  ],
  minimize_size: ["free space takes no room in a bundle", "leave caches out: bundle.exclude"],
  opennebula: ["it is for another cloud"],
  pip_install: ["imgspec has no such step", "install pip and run it in a shell step"],
  pip3_install: ["imgspec has no such step", "install pip and run it in a shell step"],
  prebootstrapped: ["the source AMI is what was made before"],
  puppet: ["imgspec has no such step", "upload the manifest, and run puppet apply in a shell step"],
  root_password: [users, "leave it: one logs in by key"],
  salt: ["imgspec has no such step", "run the bootstrap of salt in a shell step"],
  tmpfs_workspace: ["nothing is made on this machine"],
  unattended_upgrades: ["imgspec has no such step", "install and configure it in a shell step"],
  vagrant: ["it is for Vagrant"],
};

const credentials = "the spec holds no credentials";

export const credentialReasons: Readonly<Record<string, Reason>> = {
  "access-key": [credentials, "name a profile of ~/.aws under regions, or set AWS_ACCESS_KEY_ID"],
  "secret-key": [credentials, "name a profile of ~/.aws under regions, or set AWS_SECRET_ACCESS_KEY"],
  "user-id": ["the account is that of the credentials"],
};

export const providerReasons: Readonly<Record<string, Reason>> = {
  enhanced_networking: ["only the source AMI's drivers decide"],
  "amzn-driver-version": ["only the source AMI's drivers decide"],
  install_init_scripts: ["the source AMI has its own start-up scripts"],
  install_security_updates: ["the source AMI has what it has", "run apt-get upgrade in a shell step"],
};

export const bootstrapperReasons: Readonly<Record<string, Reason>> = {
  exclude_packages: ["the source AMI has what it has", "run apt-get purge in a shell step"],
  mirror: ["nothing is installed from scratch"],
  variant: ["nothing is installed from scratch"],
  tarball: ["nothing is installed from scratch"],
};

export const partitionReasons: Readonly<Record<string, Reason>> = {
  "*": ["only the root partition is in the image", "what is before it on the source's disk is copied, too"],
};

export const rootReasons: Readonly<Record<string, Reason>> = {
  filesystem: ["the image has the file system of the source AMI"],
  format_command: ["the image has the file system of the source AMI, made anew"],
  mountopts: ["the image has the source AMI's /etc/fstab", "bundle.fstab writes another"],
};
