import type { BundledImage, MachineConfiguration, Manifest } from "./manifest.ts";

/**
 * The manifest as Amazon's tool writes it, byte for byte: one line, single quotes, no space between elements, no
 * newline at the end. Its migration tool refuses any other spelling, and EC2 wants `type` right after `user`.
 */
export function toManifestXml({ version, bundler, machine, image, signature }: Manifest): string {
  const content = [
    element("version", version),
    bundler === null
      ? ""
      : nest("bundler", [
          element("name", bundler.name),
          element("version", bundler.version),
          element("release", bundler.release),
        ]),
    machine === null ? "" : machineXml(machine),
    imageXml(image),
    optional("signature", signature),
  ];
  return `<?xml version='1.0'?>${nest("manifest", content)}`;
}

function machineXml(machine: MachineConfiguration): string {
  return nest("machine_configuration", [
    element("architecture", machine.architecture),
    list("block_device_mapping", machine.blockDeviceMapping, ({ virtual, device }) =>
      nest("mapping", [element("virtual", virtual), element("device", device)]),
    ),
    optional("kernel_id", machine.kernel),
    optional("ramdisk_id", machine.ramdisk),
    list("product_codes", machine.productCodes, (code) => element("product_code", code)),
  ]);
}

function imageXml(image: BundledImage): string {
  return nest("image", [
    element("name", image.name),
    element("user", image.user),
    optional("type", image.type),
    optional("kernel_name", image.kernelName),
    list("ancestry", image.ancestry, (id) => element("ancestor_ami_id", id)),
    element("digest", image.digest, digestAttribute),
    element("size", String(image.sizeBytes)),
    element("bundled_size", String(image.bundledSizeBytes)),
    element("ec2_encrypted_key", image.ec2.key, cipherAttribute),
    element("user_encrypted_key", image.owner.key, cipherAttribute),
    element("ec2_encrypted_iv", image.ec2.iv),
    element("user_encrypted_iv", image.owner.iv),
    nest(
      "parts",
      image.parts.map(({ index, fileName, sha1 }) =>
        nest(
          "part",
          [element("filename", fileName), element("digest", sha1, digestAttribute)],
          ` index='${index}'`,
        ),
      ),
      ` count='${image.parts.length}'`,
    ),
  ]);
}

const digestAttribute = " algorithm='SHA1'";
const cipherAttribute = " algorithm='AES-128-CBC'";

function element(name: string, text: string, attribute = ""): string {
  return nest(name, [escapeText(text)], attribute);
}

function optional(name: string, text: string | null): string {
  return text === null ? "" : element(name, text);
}

function list<T>(name: string, items: readonly T[], toXml: (item: T) => string): string {
  return items.length === 0 ? "" : nest(name, items.map(toXml));
}

function nest(name: string, content: readonly string[], attribute = ""): string {
  return `<${name}${attribute}>${content.join("")}</${name}>`;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

function escapeText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[&<>"']/g, (character) => escapes[character] ?? character);
}
