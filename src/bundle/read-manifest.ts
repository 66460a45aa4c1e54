import { Problem } from "../problem.ts";
import {
  type BundledImage,
  isSafeFileName,
  type MachineConfiguration,
  type Manifest,
  type ManifestPart,
} from "./manifest.ts";
import { toXmlTree, type XmlElement, xmlProblem } from "./xml-tree.ts";

/**
 * Reads a manifest of any version that is plain XML, in any spelling: Amazon's, euca2ools' double quotes, reformatted
 * by hand. Elements that are not known are passed over. What is wrong is the Problem `bundle-invalid`, with its place.
 */
export function readManifest(text: string): Manifest {
  if (text.startsWith("\x01") || text.startsWith("\x02")) {
    throw new Problem("bundle-invalid", "the manifest is encrypted, as manifests before 2007 were", {
      hint: "decrypt it first: toManifestText does, with the private key of its owner",
    });
  }
  const root = toXmlTree(text.replace(/^\uFEFF/, ""));
  if (root.name !== "manifest") throw xmlProblem(`<${root.name}> where <manifest> belongs`, root);
  const version = child(root, "version");
  if (!knownVersions.has(version.text)) {
    throw xmlProblem(`manifest version "${version.text}" is not known`, version);
  }
  const bundler = find(root, "bundler");
  const machine = find(root, "machine_configuration");
  return {
    version: version.text,
    bundler: bundler
      ? {
          name: child(bundler, "name").text,
          version: child(bundler, "version").text,
          release: child(bundler, "release").text,
        }
      : null,
    machine: machine ? toMachine(machine) : null,
    image: toImage(child(root, "image")),
    signature: textOf(root, "signature"),
  };
}

const knownVersions: ReadonlySet<string> = new Set(["3", "20070829", "2007-08-29", "20071010", "2007-10-10"]);

function toMachine(machine: XmlElement): MachineConfiguration {
  return {
    architecture: child(machine, "architecture").text,
    blockDeviceMapping: items(machine, "block_device_mapping", "mapping").map((mapping) => ({
      virtual: child(mapping, "virtual").text,
      device: child(mapping, "device").text,
    })),
    kernel: textOf(machine, "kernel_id"),
    ramdisk: textOf(machine, "ramdisk_id"),
    productCodes: items(machine, "product_codes", "product_code").map(({ text }) => text),
  };
}

function toImage(image: XmlElement): BundledImage {
  return {
    name: fileName(child(image, "name")),
    user: child(image, "user").text,
    type: textOf(image, "type"),
    kernelName: textOf(image, "kernel_name"),
    ancestry: items(image, "ancestry", "ancestor_ami_id").map(({ text }) => text),
    digest: sha1(child(image, "digest")),
    sizeBytes: bytes(child(image, "size")),
    bundledSizeBytes: bytes(child(image, "bundled_size")),
    ec2: { key: hex(child(image, "ec2_encrypted_key")), iv: hex(child(image, "ec2_encrypted_iv")) },
    owner: { key: hex(child(image, "user_encrypted_key")), iv: hex(child(image, "user_encrypted_iv")) },
    parts: toParts(child(image, "parts")),
  };
}

function toParts(list: XmlElement): readonly ManifestPart[] {
  const elements = list.children.filter(({ name }) => name === "part");
  const parts = elements.map((element) => ({
    index: index(element),
    fileName: fileName(child(element, "filename")),
    sha1: sha1(child(element, "digest")),
  }));
  const sorted = parts.sort((a, b) => a.index - b.index);
  const gap = sorted.findIndex((part, position) => part.index !== position);
  if (gap !== -1) throw xmlProblem(`the parts have no, or more than one, index ${gap}`, list);
  if (sorted.length === 0) throw xmlProblem("there are no parts", list);
  const count = list.attributes.get("count");
  if (count !== undefined && count !== String(sorted.length)) {
    throw xmlProblem(`count says ${count} parts, there are ${sorted.length}`, list);
  }
  if (new Set(sorted.map((part) => part.fileName)).size < sorted.length) {
    throw xmlProblem("two parts have the same file name", list);
  }
  return sorted;
}

function index(part: XmlElement): number {
  const text = part.attributes.get("index") ?? "";
  if (!/^\d{1,9}$/.test(text)) throw xmlProblem(`"${text}" is no index of a part`, part);
  return Number(text);
}

function fileName(element: XmlElement): string {
  if (isSafeFileName(element.text)) return element.text;
  throw xmlProblem(`<${element.name}> "${element.text}" is not a plain file name`, element);
}

function sha1(element: XmlElement): string {
  const algorithm = element.attributes.get("algorithm") ?? "SHA1";
  if (algorithm !== "SHA1") throw xmlProblem(`digest algorithm "${algorithm}" is not SHA1`, element);
  if (!/^[0-9a-f]{40}$/i.test(element.text)) {
    throw xmlProblem(`<digest> "${element.text}" is not a SHA-1 of 40 hex digits`, element);
  }
  return element.text.toLowerCase();
}

function hex(element: XmlElement): string {
  const algorithm = element.attributes.get("algorithm") ?? "AES-128-CBC";
  if (algorithm !== "AES-128-CBC") throw xmlProblem(`cipher "${algorithm}" is not AES-128-CBC`, element);
  if (!/^([0-9a-f]{2})*$/i.test(element.text)) throw xmlProblem(`<${element.name}> is not hex`, element);
  return element.text.toLowerCase();
}

function bytes(element: XmlElement): number {
  const value = Number(element.text);
  if (!/^\d+$/.test(element.text) || !Number.isSafeInteger(value)) {
    throw xmlProblem(`<${element.name}> "${element.text}" is no number of bytes`, element);
  }
  return value;
}

function child(parent: XmlElement, name: string): XmlElement {
  const found = find(parent, name);
  if (!found) throw xmlProblem(`<${parent.name}> has no <${name}>`, parent);
  return found;
}

function find(parent: XmlElement, name: string): XmlElement | undefined {
  const [found, second] = parent.children.filter((element) => element.name === name);
  if (second) throw xmlProblem(`<${parent.name}> has a second <${name}>`, second);
  return found;
}

function textOf(parent: XmlElement, name: string): string | null {
  return find(parent, name)?.text ?? null;
}

function items(parent: XmlElement, list: string, item: string): readonly XmlElement[] {
  return find(parent, list)?.children.filter(({ name }) => name === item) ?? [];
}
