// A real sshd on loopback that serves repositories of a folder to the keys that it is told, as a Git host does.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where sshd is; undefined where it is not installed (Debian: openssh-server). */
export function findSshd(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  return folders.map((folder) => join(folder, "sshd")).find((path) => existsSync(path));
}

export interface SshServer {
  /** The URL of a bare repository's folder. */
  url(folder: string): string;
  /** Its key, as a line of a known_hosts file. */
  readonly knownHosts: string;
  /** Makes a key that it lets in, and returns the private half. */
  addKey(right: "read" | "write"): Promise<string>;
  /** Makes a key that it knows nothing of. */
  makeKey(type?: string): Promise<string>;
  close(): Promise<void>;
}

// In the words of GitHub, for a deploy key that may only read.
const SHELL = `#!/bin/sh
case "$1:$SSH_ORIGINAL_COMMAND" in
  read:git-receive-pack*)
    echo "ERROR: The key you are authenticating with has been marked as read only." >&2
    exit 1 ;;
esac
exec git shell -c "$SSH_ORIGINAL_COMMAND"
`;

export async function startSshServer(sshd: string): Promise<SshServer> {
  const root = await mkdtemp(join(tmpdir(), "ssh-server-"));
  const file = (name: string) => join(root, name);
  const generate = async (name: string, type = "ed25519") => {
    await run("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", file(name)]);
    return { privateKey: await readFile(file(name), "utf8"), publicKey: await readFile(file(`${name}.pub`), "utf8") };
  };
  const host = await generate("host");
  await writeFile(file("authorized_keys"), "");
  await writeFile(file("shell"), SHELL);
  await chmod(file("shell"), 0o755);
  // Debian's sshd drops its rights into this folder.
  if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true });
  const port = await freePort();
  const config = {
    ...{ Port: port, ListenAddress: "127.0.0.1", HostKey: file("host"), AuthorizedKeysFile: file("authorized_keys") },
    ...{ StrictModes: "no", PasswordAuthentication: "no", KbdInteractiveAuthentication: "no", PidFile: "none" },
  };
  const lines = Object.entries(config).map(([name, value]) => `${name} ${value}\n`);
  await writeFile(file("config"), lines.join(""));
  const child = spawn(sshd, ["-D", "-e", "-f", file("config")], { stdio: ["ignore", "ignore", "pipe"] });
  await listening(child);
  let keys = 0;
  return {
    url: (folder) => `ssh://${userInfo().username}@127.0.0.1:${port}${folder}`,
    knownHosts: `[127.0.0.1]:${port} ${host.publicKey}`,
    async addKey(right) {
      const { privateKey, publicKey } = await generate(`key${++keys}`);
      await appendFile(file("authorized_keys"), `restrict,command="${file("shell")} ${right}" ${publicKey}`);
      return privateKey;
    },
    makeKey: async (type) => (await generate(`key${++keys}`, type)).privateKey,
    async close() {
      const ended = new Promise((resolve) => child.on("close", resolve));
      child.kill();
      await ended;
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function listening(child: ChildProcess): Promise<void> {
  let output = "";
  child.stderr?.on("data", (data: Buffer) => {
    output += data.toString();
  });
  while (!output.includes("Server listening")) {
    if (child.exitCode !== null) throw new Error(`sshd ended: ${output}`);
    await sleep(20);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
