// A machine for tests of tools/: its own cache, a PATH of made-up programs and a download server on loopback.
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, gzipSync } from "node:zlib";
import { tar } from "../../rehearsal/content/archive.ts";
import type { DownloadHosts, Platform } from "../../tools/catalogue.ts";

export const LINUX: Platform = { os: "linux", arch: "x64" };

/** Paths to what the server answers; `cutAt` sends that many bytes and breaks the connection. */
export type Files = Map<string, { readonly body: Buffer; readonly cutAt?: number }>;

export interface Machine {
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly hosts: DownloadHosts;
  readonly files: Files;
  /** Paths that were asked for. */
  readonly requests: string[];
  /** Lines that were logged. */
  readonly lines: string[];
  readonly log: (line: string) => void;
  /** Puts a shell script on PATH. */
  program(name: string, script: string): Promise<string>;
  /** Puts a `go` on PATH that writes programs into `$folder`, and notes its arguments. */
  go(behaviour?: string): Promise<void>;
  /** The arguments of every build, a line each. */
  builds(): Promise<string[]>;
  /** The arguments of each `go list`, by which modules are downloaded. */
  fetches(): Promise<string[]>;
  /** Files of the cache that are neither locks nor folders. */
  cached(): Promise<string[]>;
  /** Stops the download server: nothing listens at its address any more. */
  disconnect(): Promise<void>;
  close(): Promise<void>;
}

export async function machine(): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), "aks-gitops-tools-"));
  const bin = join(folder, "bin");
  const cache = join(folder, "cache");
  await mkdir(bin);
  const files: Files = new Map();
  const requests: string[] = [];
  const lines: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    const file = files.get(path);
    if (file === undefined) return response.writeHead(404).end("no such file");
    response.writeHead(200, { "content-length": file.body.length });
    if (file.cutAt === undefined) return response.end(file.body);
    return response.write(file.body.subarray(0, file.cutAt), () => setTimeout(() => response.destroy(), 20));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const disconnect = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };

  async function linesOf(name: string): Promise<string[]> {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  async function program(name: string, script: string): Promise<string> {
    const path = join(bin, name);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }

  return {
    cache,
    env: { PATH: `${bin}:/usr/bin:/bin`, AKS_GITOPS_CACHE: cache },
    hosts: { pulumi: origin, helm: origin, github: origin, kubernetes: origin },
    files,
    requests,
    lines,
    log: (line) => lines.push(line),
    program,
    async go(behaviour = "") {
      await program(
        "go",
        `if [ "$1" = version ]; then echo go version go1.26.8 linux/amd64; exit; fi
if [ "$1" = list ]; then echo "$@" >> ${folder}/fetches; exit; fi
echo "$@" >> ${folder}/builds
while [ "$1" != -o ]; do shift; done
folder=$2; shift 2
${behaviour}
for package in "$@"; do
  program=$folder/$(echo "$package" | sed -E 's#/v[0-9]+$##; s#.*/##')
  echo made with Go > "$program" && chmod 755 "$program"
done`,
      );
    },
    builds: () => linesOf("builds"),
    fetches: () => linesOf("fetches"),
    async cached() {
      const all = await readdir(cache, { recursive: true, withFileTypes: true }).catch(() => []);
      return all
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(cache.length + 1))
        .sort();
    },
    disconnect,
    async close() {
      await disconnect();
      // Searches beside one that failed may still be tidying up.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** A `.tar.gz` of text files. */
export function archive(content: Readonly<Record<string, string>>): Buffer {
  return gzipSync(tar(Object.entries(content).map(([path, text]) => ({ path, body: Buffer.from(text) }))));
}

/** A `.zip` of text files, not compressed (APPNOTE.TXT, 4.3). */
export function zip(content: Readonly<Record<string, string>>): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, text] of Object.entries(content)) {
    const [name, body] = [Buffer.from(path), Buffer.from(text)];
    // Version, flags, method, time and date; checksum and sizes; lengths of the name and of what is extra.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(10, 0);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    files.push(Buffer.from("PK\x03\x04"), common, name, body);
    directory.push(Buffer.from("PK\x01\x02\x0a\x00"), common, place, name);
    offset += 4 + common.length + name.length + body.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(Object.keys(content).length, 4);
  end.writeUInt16LE(Object.keys(content).length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, ...directory, Buffer.from("PK\x05\x06"), end]);
}

/** A line of a checksums file. */
export function checksumLine(body: Buffer, name: string): string {
  return `${createHash("sha256").update(body).digest("hex")}  ${name}\n`;
}
