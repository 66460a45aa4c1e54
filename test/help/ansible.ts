import { spawnSync } from "node:child_process";

/** Whether Ansible is installed (PyPI: ansible-core). */
export const haveAnsible: boolean =
  spawnSync("ansible-playbook", ["--version"], { stdio: "ignore" }).status === 0;
