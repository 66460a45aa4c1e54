import type { Options } from "../options.ts";
import { type Step, toRootStep, toShellWord } from "./step.ts";

/** Host name, time zone and locale, as bootstrap-vz sets them. */
export function toSystemSteps(system: Options): readonly Step[] {
  const [hostname, timezone] = [system.text("hostname"), system.text("timezone")];
  const [locale, charmap] = [system.text("locale"), system.text("charmap")];
  const zone = toShellWord(timezone ?? "");
  const lines = [
    ...(hostname === undefined ? [] : [`echo ${toShellWord(hostname)} > /etc/hostname`]),
    ...(timezone === undefined
      ? []
      : [
          `echo ${zone} > /etc/timezone`,
          `ln -sf ${toShellWord(`/usr/share/zoneinfo/${timezone}`)} /etc/localtime`,
        ]),
    ...(locale === undefined ? [] : toLocale(locale, charmap ?? "UTF-8")),
  ];
  system.dropRest({
    bootloader: ["the boot loader, or EC2's kernel, is that of the source AMI"],
    userspace_architecture: ["the source AMI decides"],
  });
  return toRootStep(lines);
}

function toLocale(locale: string, charmap: string): readonly string[] {
  const name = `${locale}.${charmap}`;
  return [
    `echo ${toShellWord(`${name} ${charmap}`)} >> /etc/locale.gen`,
    `if command -v locale-gen > /dev/null; then locale-gen; fi`,
    `echo ${toShellWord(`LANG=${name}`)} > /etc/default/locale`,
  ];
}
