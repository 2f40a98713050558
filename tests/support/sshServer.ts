// A real sshd on loopback that serves repositories of a folder to the keys that it is told, as a Git host does.

import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
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

/** Why sshd cannot let `git` in, as the hosts' addresses have it; undefined where it can. */
export function gitUserProblem(): string | undefined {
  if (findSshd() === undefined) return "sshd (Debian: openssh-server)";
  if (userInfo().uid !== 0) return "root, to give sshd a user called git";
  const { status } = spawnSync("unshare", ["--mount", "mount", "--bind", "/etc/passwd", "/etc/passwd"]);
  return status === 0 ? undefined : "a mount namespace, to give sshd a user called git";
}

export interface SshOptions {
  /** The folder that paths begin at; they are the whole of the machine's by default. */
  readonly root?: string;
  /** Whether `git` signs in, as at the hosts that people know, and not this process' user. @default false */
  readonly asGit?: boolean;
}

export interface SshServer {
  readonly port: number;
  /** The URL of a bare repository's folder. */
  url(folder: string): string;
  /** The type and the text of its key. */
  readonly hostKey: string;
  /** Its key, as a line of a known_hosts file. */
  readonly knownHosts: string;
  /** Makes a key that it lets in, and returns the private half. */
  addKey(right: "read" | "write", type?: string): Promise<string>;
  /** Makes a key that it knows nothing of. */
  makeKey(type?: string): Promise<string>;
  close(): Promise<void>;
}

// In the words of GitHub, for a deploy key that may only read.
const shell = (root: string) => `#!/bin/sh
case "$1:$SSH_ORIGINAL_COMMAND" in
  read:git-receive-pack*)
    echo "ERROR: The key you are authenticating with has been marked as read only." >&2
    exit 1 ;;
esac
exec git shell -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed "s|'/|'${root}/|")"
`;

export async function startSshServer(
  sshd: string,
  { root: top = "", asGit = false }: SshOptions = {},
): Promise<SshServer> {
  const root = await mkdtemp(join(tmpdir(), "ssh-server-"));
  const file = (name: string) => join(root, name);
  const generate = async (name: string, type = "ed25519") => {
    await run("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", file(name)]);
    return { privateKey: await readFile(file(name), "utf8"), publicKey: await readFile(file(`${name}.pub`), "utf8") };
  };
  const host = await generate("host");
  await writeFile(file("authorized_keys"), "");
  await writeFile(file("shell"), shell(top));
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
  const command = [sshd, "-D", "-e", "-f", file("config")];
  if (asGit) {
    const users = await readFile("/etc/passwd", "utf8");
    await writeFile(file("passwd"), `${users.replace(/^git:.*\n/m, "")}git:x:0:0::/root:/bin/sh\n`);
    // In a mount namespace of its own, so that the machine's users stay as they are.
    const bound = `mount --bind '${file("passwd")}' /etc/passwd && exec "$@"`;
    command.unshift("unshare", "--mount", "sh", "-c", bound, "sh");
  }
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  await listening(child);
  let keys = 0;
  return {
    port,
    hostKey: host.publicKey.trim(),
    url: (folder) => `ssh://${userInfo().username}@127.0.0.1:${port}${folder}`,
    knownHosts: `[127.0.0.1]:${port} ${host.publicKey}`,
    async addKey(right, type) {
      const { privateKey, publicKey } = await generate(`key${++keys}`, type);
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
