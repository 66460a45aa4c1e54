import { createCipheriv, createHash } from "node:crypto";
import { expect, test } from "vitest";
import { CipherThread } from "../../src/bundle/cipher-thread.ts";
import { DigestThread } from "../../src/bundle/digest-thread.ts";
import { newBundleKey } from "../../src/bundle/key.ts";
import { Thread } from "../../src/bundle/thread.ts";
import { noise } from "./bundled.ts";

test("a thread digests what lies in shared memory, and zeros that lie nowhere", async () => {
  const [memory, bytes] = shared(noise(300_000));
  await using thread = new DigestThread("sha256", memory);
  await thread.update(bytes.subarray(0, 100_000));
  await thread.updateZeros(200_001);
  await thread.update(bytes.subarray(100_000));
  const whole = createHash("sha256")
    .update(bytes.subarray(0, 100_000))
    .update(Buffer.alloc(200_001))
    .update(bytes.subarray(100_000));
  expect(await thread.hex()).toBe(whole.digest("hex"));
});

test.each([0, 1, 15, 16, 17, 8191, 8192, 50_000])(
  "pieces encrypted in place are one stream, the last of %i bytes with its padding",
  async (lastBytes) => {
    const key = newBundleKey();
    const plain = noise(2 * 65_536);
    const [memory, bytes] = shared(plain);
    await using cipher = new CipherThread(key, memory);
    const first = await cipher.encrypt(bytes.subarray(0, 65_536), 65_536, false);
    const last = await cipher.encrypt(bytes.subarray(65_536), lastBytes, true);
    const expected = createCipheriv("aes-128-cbc", key.keyBytes(), key.ivBytes());
    const whole = Buffer.concat([expected.update(plain.subarray(0, 65_536 + lastBytes)), expected.final()]);
    expect([first.length, first.length + last.length]).toEqual([65_536, whole.length]);
    expect(Buffer.from(bytes.subarray(0, whole.length)).equals(whole)).toBe(true);
    expect(last.sha1).toBe(createHash("sha1").update(whole.subarray(65_536)).digest("hex"));
  },
);

test("when a thread fails, so does whatever was asked of it, before and after", async () => {
  await using thread = new Thread(`answer = (text) => JSON.parse(text).toString();`, null);
  const answers = [thread.ask("[1, 2]"), thread.ask("nonsense"), thread.ask("[3]")];
  const outcomes = await Promise.allSettled(answers);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  await expect(thread.ask("[4]")).rejects.toThrow("JSON");
});

test("a thread that is ended leaves no question open", async () => {
  const thread = new Thread("answer = () => { for (;;); };", null);
  const answer = thread.ask("for ever");
  await thread[Symbol.asyncDispose]();
  await expect(answer).rejects.toThrow("the thread has ended");
});

function shared(bytes: Buffer): [SharedArrayBuffer, Buffer<SharedArrayBuffer>] {
  const memory = new SharedArrayBuffer(bytes.length);
  const view = Buffer.from(memory);
  view.set(bytes);
  return [memory, view];
}
