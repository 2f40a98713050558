// A Git host for tests: bare repositories behind `git http-backend` on loopback, which lets in by Basic auth alone.

import { execFile, spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a Git host allows. */
const SETTINGS = "[http]\nreceivepack = true\n[uploadpack]\nallowFilter = true\nallowAnySHA1InWant = true\n";

const PLAIN_SETTINGS = "[http]\nreceivepack = true\n";

/**
 * Called before a request is served; the answer is sent when it has settled. A number ends it with that status; where it
 * is `lost` the request is served, and the connection breaks before its answer.
 */
export type Interrupt = (request: {
  method: string;
  path: string;
  query: string;
}) => Promise<number | "lost" | undefined>;

export interface GitServer {
  /** The URL of a repository, without credentials. */
  readonly url: string;
  /** The folder of the bare repository. */
  readonly folder: string;
  /** Every request served so far, as `GET /repo.git/info/refs?service=git-upload-pack`. */
  readonly requests: string[];
  /** The user names that were given. */
  readonly users: string[];
  interrupt?: Interrupt | undefined;
  /** Runs git in the bare repository and gives its output, trimmed. */
  git(args: readonly string[], input?: string): Promise<string>;
  /** Commits texts to a branch as somebody else would; null removes a file. */
  commit(branch: string, files: Readonly<Record<string, string | null>>, message?: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * @param token the password of Basic auth; any user name is taken
 * @param plain whether it gives branches alone and whole, in Git's first protocol, as a host that knows no more does
 */
export async function startGitServer(token: string, { plain = false } = {}): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), "git-server-"));
  const folder = join(root, "fleet.git");
  const env = { ...process.env, GIT_CONFIG_GLOBAL: join(root, "none"), GIT_CONFIG_NOSYSTEM: "1" };
  await run("git", ["init", "--quiet", "--bare", "--template=", "--initial-branch=main", folder], { env });
  await appendFile(join(folder, "config"), plain ? PLAIN_SETTINGS : SETTINGS);
  await mkdir(join(folder, "hooks"));
  const server = createServer((request, response) => {
    if (plain) delete request.headers["git-protocol"];
    serve(result, root, token, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const git = async (args: readonly string[], input?: string) => {
    const running = run("git", ["-C", folder, ...args], { env });
    running.child.stdin?.end(input);
    return (await running).stdout.trim();
  };
  const result: GitServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fleet.git`,
    folder,
    requests: [],
    users: [],
    git,
    commit: (branch, files, message = "Somebody else") => commit(git, branch, files, message),
    close: () => close(server, root),
  };
  return result;
}

async function close(server: Server, root: string): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(root, { recursive: true, force: true });
}

async function commit(
  git: GitServer["git"],
  branch: string,
  files: Readonly<Record<string, string | null>>,
  message: string,
): Promise<string> {
  const parent = await git(["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`]).catch(() => "");
  const identity = "Somebody <somebody@example.com> 1700000000 +0000";
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const changes = Object.entries(files).map(([path, text]) =>
    text === null ? `D ${path}\n` : `M 100644 inline ${path}\n${data(text)}`,
  );
  const head = `commit refs/heads/${branch}\ncommitter ${identity}\n${data(message)}`;
  await git(["fast-import", "--quiet"], [head, parent ? `from ${parent}\n` : "", ...changes].join(""));
  return git(["rev-parse", `refs/heads/${branch}`]);
}

async function serve(
  server: GitServer,
  root: string,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, encoded = ""] = (request.headers.authorization ?? "").split(" ");
  const [user = "", password] = Buffer.from(encoded, "base64").toString().split(":");
  if (encoded) server.users.push(user);
  if (password !== token) {
    request.resume();
    response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end("who are you?\n");
    return;
  }
  const { pathname: path, search } = new URL(request.url ?? "/", "http://localhost");
  const method = request.method ?? "GET";
  server.requests.push(`${method} ${path}${search}`);
  const status = await server.interrupt?.({ method, path, query: search });
  if (typeof status === "number") {
    request.resume();
    response.writeHead(status).end();
    return;
  }
  const answer = await runBackend(root, { method, path, query: search.slice(1) }, request);
  if (status === "lost") response.destroy();
  else response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(answer.body);
}

async function runBackend(
  root: string,
  { method, path, query }: { method: string; path: string; query: string },
  request: IncomingMessage,
): Promise<{ status: number; headers: ReadonlyMap<string, string>; body: Buffer }> {
  const header = (name: string) => String(request.headers[name] ?? "");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      REMOTE_USER: "somebody",
      REQUEST_METHOD: method,
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: header("content-type"),
      HTTP_CONTENT_ENCODING: header("content-encoding"),
      GIT_PROTOCOL: header("git-protocol"),
    },
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => {});
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => child.on("close", resolve));
  const output = Buffer.concat(chunks);
  const end = output.indexOf("\r\n\r\n");
  const headers = new Map(
    output
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const),
  );
  const status = Number.parseInt(headers.get("Status") ?? "200", 10);
  headers.delete("Status");
  return { status, headers, body: output.subarray(end + 4) };
}
