const tableAt = 446;
const signatureAt = 510;

/** How much of an image `hasPartitionTable` looks at. */
export const bootSectorBytes = 512;

/** Whether an image that begins so is a disk with a partition table (GPT has an MBR before it), and no bare file system. */
export function hasPartitionTable(head: Buffer): boolean {
  if (head.length < bootSectorBytes || head.readUInt16LE(signatureAt) !== 0xaa55) return false;
  const entries = [0, 1, 2, 3].map((index) => head.subarray(tableAt + index * 16, tableAt + index * 16 + 16));
  return (
    entries.every((entry) => entry[0] === 0 || entry[0] === 0x80) && entries.some((entry) => entry[4] !== 0)
  );
}
