// Archives that are the same bytes on every machine: ustar with fixed owners and times, gzip without compression.
import { crc32 } from "node:zlib";

export interface ArchiveFile {
  /** Relative, with `/`; at most 100 bytes. */
  readonly path: string;
  readonly body: Buffer;
}

const BLOCK = 512;
/** Seconds since 1970 of every file: 2026-01-01T00:00:00Z. */
const MODIFIED = 1767225600;

/** A ustar archive of regular files, in the order given. @throws Error for a path that does not fit the format. */
export function tar(files: readonly ArchiveFile[]): Buffer {
  const blocks = files.flatMap(({ path, body }) => [
    header(path, body.length),
    body,
    Buffer.alloc(-body.length & (BLOCK - 1)),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(path: string, size: number): Buffer {
  if (Buffer.byteLength(path) > 100)
    throw new Error(`The path ${path} is longer than the 100 bytes that a tar header holds.`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): number =>
    block.write(value.toString(8).padStart(digits, "0"), at);
  block.write(path, 0);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(MODIFIED, 136, 11);
  block.write("0", 156);
  block.write("ustar\u000000", 257, "latin1");
  // The checksum is that of the header with spaces in the checksum's place.
  block.fill(" ", 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}

/** The largest stored block of deflate (RFC 1951, 3.2.4), in bytes. */
const STORED = 0xffff;

/** A gzip file (RFC 1952) of stored blocks: what a compressor makes differs between versions of zlib, this does not. */
export function gzip(body: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])];
  for (let at = 0; at === 0 || at < body.length; at += STORED) {
    const part = body.subarray(at, at + STORED);
    const head = Buffer.alloc(5);
    head[0] = at + STORED >= body.length ? 1 : 0;
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(~part.length & 0xffff, 3);
    parts.push(head, part);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(body), 0);
  trailer.writeUInt32LE(body.length, 4);
  return Buffer.concat([...parts, trailer]);
}
