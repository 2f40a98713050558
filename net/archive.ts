import { gunzipSync } from "node:zlib";

/** One regular file of a tar archive. */
export interface TarFile {
  /** The path as the archive writes it, without a leading `./`. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly content: Buffer;
}

const BLOCK = 512;

/**
 * The regular files of a `.tar.gz`, in the archive's order; directories, links and devices are left out.
 * Reads ustar, GNU long names and pax paths (POSIX.1-2017, pax "Interchange Format").
 * @throws Error when the data is no gzip, is cut short or a header's checksum is wrong.
 */
export function readTarGz(archive: Buffer): TarFile[] {
  return readTar(gunzipSync(archive));
}

/** As {@link readTarGz}, for an archive that is not compressed. */
export function readTar(archive: Buffer): TarFile[] {
  const files: TarFile[] = [];
  let longPath: string | undefined;
  let offset = 0;
  while (offset + BLOCK <= archive.length) {
    const header = archive.subarray(offset, offset + BLOCK);
    if (header.every((byte) => byte === 0)) return files;
    verifyChecksum(header, offset);
    const size = readSize(header.subarray(124, 136));
    const content = archive.subarray(offset + BLOCK, offset + BLOCK + size);
    if (content.length < size) throw new Error(`The tar archive ends inside the file at byte ${offset}.`);
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;

    const type = String.fromCharCode(header[156] ?? 0);
    if (type === "L") {
      longPath = text(content);
    } else if (type === "x") {
      longPath = paxPath(content) ?? longPath;
    } else {
      if (type === "0" || type === "\0") {
        const path = (longPath ?? ustarPath(header)).replace(/^(\.\/)+/, "");
        files.push({ path, mode: Number.parseInt(text(header.subarray(100, 108)), 8) & 0o777, content });
      }
      longPath = undefined;
    }
  }
  throw new Error("The tar archive has no end mark: it was cut short.");
}

function text(field: Uint8Array): string {
  const bytes = Buffer.from(field);
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}

function ustarPath(header: Buffer): string {
  const name = text(header.subarray(0, 100));
  // GNU's own magic is "ustar " and uses the prefix field for other things.
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? text(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function readSize(field: Buffer): number {
  // GNU writes sizes of 8 GiB and more in base 256, marked by the first bit; nothing here is that large.
  if (((field[0] ?? 0) & 0x80) !== 0) throw new Error("The tar archive holds a file of 8 GiB or more.");
  return Number.parseInt(text(field).trim() || "0", 8);
}

function verifyChecksum(header: Buffer, offset: number): void {
  const expected = Number.parseInt(text(header.subarray(148, 156)).trim(), 8);
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) sum += index >= 148 && index < 156 ? 32 : (header[index] ?? 0);
  if (sum !== expected)
    throw new Error(`The tar archive is damaged: the header at byte ${offset} has a wrong checksum.`);
}

/** A pax record is `<length> <key>=<value>\n`, the length counting the record itself in bytes. */
function paxPath(content: Buffer): string | undefined {
  let path: string | undefined;
  let offset = 0;
  while (offset < content.length) {
    const space = content.indexOf(0x20, offset);
    const length = Number.parseInt(content.toString("latin1", offset, space), 10);
    if (space === -1 || !(length > 0)) break;
    const record = content.toString("utf8", space + 1, offset + length - 1);
    if (record.startsWith("path=")) path = record.slice("path=".length);
    offset += length;
  }
  return path;
}
