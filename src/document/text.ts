import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Problem } from "../problem.ts";

/** A file as it was read; `path` is what the user called it. */
export type Text = { readonly path: string; readonly content: string };

/** More than any spec needs, and little enough to parse at once. */
const limitBytes = 256 * 1024;

/** Reads a UTF-8 file of at most 256 KiB. Throws `file-unreadable`, naming the path. */
export async function readText(path: string): Promise<Text> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    return { path, content: toContent(path, await readBytes(path, file)) };
  } finally {
    await file.close();
  }
}

/** The same from a stream, such as standard input; `name` is what it is called. */
export async function readTextFrom(stream: AsyncIterable<Uint8Array>, name: string): Promise<Text> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limitBytes) throw tooLarge(name);
    chunks.push(chunk);
  }
  return { path: name, content: toContent(name, Buffer.concat(chunks)) };
}

async function readBytes(path: string, file: FileHandle): Promise<Uint8Array> {
  const { size } = await file.stat();
  if (size > limitBytes) throw tooLarge(path);
  // A pipe or a device has no size, so the reading itself is bounded too.
  const buffer = Buffer.alloc(limitBytes + 1);
  let length = 0;
  try {
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (length > limitBytes) throw tooLarge(path);
  return buffer.subarray(0, length);
}

function toContent(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("file-unreadable", `"${path}" is not UTF-8 text`, {
      hint: "a spec is a YAML file in UTF-8; save it as such",
      cause,
    });
  }
}

function tooLarge(path: string): Problem {
  return new Problem("file-unreadable", `"${path}" is larger than 256 KiB, which no spec is`, {
    hint: "name the YAML spec, not an image or an archive",
  });
}

const reasons: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  ENOENT: ["does not exist", "check the path, or write a first spec with: imgspec init"],
  ENOTDIR: ["does not exist: part of its path is a file", "check the path"],
  EISDIR: ["is a directory", "name a file in it"],
  EACCES: ["may not be read by this user", "check its permissions"],
};

function unreadable(path: string, cause: unknown): Problem {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  const [reason, hint] = reasons[code] ?? ["cannot be read", undefined];
  return new Problem("file-unreadable", `"${path}" ${reason}`, { hint, cause });
}
