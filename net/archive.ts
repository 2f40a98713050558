// Archives of charts: read in a stream, so that one that unpacks to gigabytes is refused before it fills the memory.

import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

/** One regular file of a tar archive. */
export interface TarFile {
  /** The path as the archive writes it, without a leading `./`. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly content: Buffer;
}

/** What archives may unpack to; one allowance may be shared by an archive and those inside it, and is used up by them. */
export interface Allowance {
  /** Bytes, headers included. */
  bytes: number;
  /** Files, folders, links and whatever else has a header. */
  entries: number;
}

const BLOCK = 512;

/** As much as Helm takes of a chart by default (`MaxDecompressedChartSize` in helm.sh/helm/v4/pkg/chart/loader). */
const LARGEST = 100 * 1024 * 1024;

/** The largest charts in public repositories have some hundreds. */
const MOST_ENTRIES = 20_000;

/** What a chart may unpack to with all its subcharts. */
export function chartAllowance(): Allowance {
  return { bytes: LARGEST, entries: MOST_ENTRIES };
}

/**
 * The regular files of a `.tar.gz`, in the archive's order; directories, links and devices are left out.
 * Reads ustar, GNU long names and pax paths (POSIX.1-2017, pax "Interchange Format").
 * @throws Error when the data is no gzip, is cut short, a header's checksum is wrong, or it unpacks to more than allowed.
 */
export function readTarGz(archive: Buffer, allowance = chartAllowance()): Promise<TarFile[]> {
  return unpack([Readable.from([archive]), createGunzip()], allowance);
}

/** As {@link readTarGz}, for an archive that is not compressed. */
export function readTar(archive: Buffer, allowance = chartAllowance()): Promise<TarFile[]> {
  return unpack([Readable.from([archive])], allowance);
}

async function unpack(source: readonly (Readable | Transform)[], allowance: Allowance): Promise<TarFile[]> {
  const { bytes, entries } = allowance;
  let read = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      read += chunk.length;
      allowance.bytes -= chunk.length;
      if (allowance.bytes >= 0) next(null, chunk);
      else
        next(new Error(`The archive unpacks to more than ${bytes} bytes: no chart is that large, it is not read on.`));
    },
  });
  const files: TarFile[] = [];
  // Where the header of the present entry stands, and where the next one does.
  let at = 0;
  let end = 0;
  // Loaded only here: most runs of the plugin unpack nothing.
  const { extract } = await import("tar-stream");
  // The older format without a magic word is read too; its option is not among the types.
  const tar = extract({ allowUnknownFormat: true } as object);
  const readEntries = async () => {
    for await (const entry of tar) {
      const { name, type, mode, size } = entry.header;
      at = entry.offset;
      end = at + BLOCK + (type === "directory" ? 0 : Math.ceil(size / BLOCK) * BLOCK);
      if (--allowance.entries < 0)
        throw new Error(`The archive has more than ${entries} entries: no chart has that many, it is not read on.`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) if (type === "file") chunks.push(chunk as Buffer);
      if (type === "file")
        files.push({ path: name.replace(/^(\.\/)+/, ""), mode: mode & 0o777, content: Buffer.concat(chunks) });
    }
  };
  try {
    const arrived = pipeline([...source, meter, tar]);
    // Its failure is the entries' too; what stops them is the better reason.
    arrived.catch(() => undefined);
    await readEntries();
    await arrived;
  } catch (error) {
    const { message } = error as Error;
    if (message === "Unexpected end of data") throw new Error(`The tar archive ends inside the file at byte ${at}.`);
    if (message.startsWith("Invalid tar header."))
      throw new Error(`The tar archive is damaged: the header at byte ${end} has a wrong checksum.`);
    throw error;
  }
  if (read < end + BLOCK) throw new Error("The tar archive has no end mark: it was cut short.");
  return files;
}
