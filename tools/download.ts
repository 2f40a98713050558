import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { promisify } from "node:util";
import { isProxied } from "../net/proxy.ts";
import type { Download } from "./catalogue.ts";

/** How long a host may take to accept a connection, in milliseconds. */
const CONNECT_TIMEOUT = 3_000;
/** How long an answer's beginning or its next piece may take, in milliseconds. */
const STALL_TIMEOUT = 30_000;

/** A download that is not what its publisher says it is; never to be worked around. */
export class ChecksumError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ChecksumError";
  }
}

/** Hosts that did not answer in this run, by origin: each is tried once, and costs its timeout once. */
const unreachable = new Map<string, string>();

/**
 * Downloads into a folder, verifies and unpacks.
 * @param name the program's file name, where the download is the program itself.
 * @returns the folder that holds the unpacked programs.
 * @throws ChecksumError when the published checksum is another one; the file is removed.
 * @throws Error when the host cannot be reached, has no such file or sends it in part; the file is removed.
 */
export async function download(source: Download, folder: string, name: string): Promise<string> {
  const fileName = basename(new URL(source.url).pathname);
  const expected = publishedChecksum(await fetchText(source.checksumsUrl), fileName);
  if (expected === undefined) throw new Error(`${source.checksumsUrl} lists no SHA-256 of ${fileName}`);

  await mkdir(folder, { recursive: true });
  const file = join(folder, fileName);
  try {
    const actual = await fetchFile(source.url, file);
    if (actual !== expected) {
      throw new ChecksumError(
        `${source.url} has the SHA-256 ${actual}, but ${source.checksumsUrl} says ${expected}. ` +
          "The file was removed. Try again; if it stays so, somebody on the way changes the download.",
      );
    }
    return await unpack(source, file, folder, name);
  } finally {
    await rm(file, { force: true });
  }
}

async function unpack(source: Download, file: string, folder: string, name: string): Promise<string> {
  const programs = join(folder, "programs");
  if (source.folder === undefined) {
    await mkdir(programs, { recursive: true });
    const program = join(programs, name);
    await rename(file, program);
    await chmod(program, 0o755);
    return programs;
  }
  // The system's tar streams, which matters for archives of half a gigabyte; GNU's alone reads no zip.
  const isForeign = process.platform === "linux" && file.endsWith(".zip");
  if (isForeign) await promisify(execFile)("unzip", ["-q", file, "-d", folder]);
  else await promisify(execFile)("tar", ["-xf", file, "-C", folder]);
  return join(folder, source.folder);
}

/** The SHA-256 of a file in a text of lines `<hex>  <name>`, a `*` before the name marks binary mode, or of it alone. */
export function publishedChecksum(text: string, fileName: string): string | undefined {
  const only = /^\s*([0-9a-f]{64})\s*$/i.exec(text)?.[1];
  if (only !== undefined) return only.toLowerCase();
  for (const line of text.split("\n")) {
    const match = /^([0-9a-f]{64})\s+\*?(\S+)\s*$/i.exec(line);
    if (match !== null && match[2] === fileName) return match[1]?.toLowerCase();
  }
  return undefined;
}

async function fetchText(url: string): Promise<string> {
  const { response, done } = await open(url);
  try {
    return await response.text();
  } finally {
    done();
  }
}

/** Streams a file to disk. Returns its hex SHA-256. */
async function fetchFile(url: string, path: string): Promise<string> {
  const { response, alive, done } = await open(url);
  if (response.body === null) throw new Error(`${url} has no content`);
  const hash = createHash("sha256");
  const watch = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      alive();
      hash.update(chunk);
      next(null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(response.body as ReadableStream), watch, createWriteStream(path));
  } catch (error) {
    throw new Error(`${url} broke off: ${reason(error)}`);
  } finally {
    done();
  }
  return hash.digest("hex");
}

/** A successful answer whose body is still to be read; `alive` is to be called while it comes, `done` at its end. */
async function open(url: string): Promise<{ response: Response; alive: () => void; done: () => void }> {
  await reach(new URL(url));
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error(`nothing came for ${STALL_TIMEOUT / 1000} s`)), STALL_TIMEOUT);
  let response: Response;
  try {
    response = await fetch(url, { signal: abort.signal });
  } catch (error) {
    clearTimeout(timer);
    unreachable.set(new URL(url).origin, reason(error));
    throw new Error(`${url} cannot be reached: ${reason(error)}`);
  }
  if (!response.ok) {
    clearTimeout(timer);
    await response.body?.cancel();
    throw new Error(`${url} answers ${response.status} ${response.statusText}`.trimEnd());
  }
  return { response, alive: () => timer.refresh(), done: () => clearTimeout(timer) };
}

/** Fails soon, and at once the second time, where a host cannot be reached; fetch would wait much longer. */
async function reach(url: URL): Promise<void> {
  const known = unreachable.get(url.origin);
  if (known !== undefined) throw new Error(`${url.origin} cannot be reached: ${known}`);
  // Through a proxy it is the proxy that connects.
  if (isProxied(url)) return;
  const failure = await new Promise<string | undefined>((resolve) => {
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port, timeout: CONNECT_TIMEOUT });
    socket.on("connect", () => settle(undefined));
    socket.on("timeout", () => settle(`no connection within ${CONNECT_TIMEOUT / 1000} s`));
    socket.on("error", (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    function settle(result: string | undefined): void {
      socket.destroy();
      resolve(result);
    }
  });
  if (failure === undefined) return;
  unreachable.set(url.origin, failure);
  throw new Error(`${url.origin} cannot be reached: ${failure}`);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says "fetch failed" and keeps what happened as the cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
