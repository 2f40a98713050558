// Git's smart HTTP through `git http-backend`, which speaks CGI (RFC 3875).
import { spawn } from "node:child_process";
import type { CloudRequest, CloudResponse } from "../types.ts";
import { gitEnvironment } from "./repository.ts";

export interface Backend {
  /** The folder of all repositories. */
  readonly root: string;
  /** The repository's folder below it, and what follows the repository in the URL, for example `/info/refs`. */
  readonly path: string;
  /** Who calls, once that is known to be allowed. */
  readonly user: string;
}

/** Lets git answer a request. */
export async function serveGit(request: CloudRequest, { root, path, user }: Backend): Promise<CloudResponse> {
  const { headers } = request;
  const environment = {
    ...gitEnvironment,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: path,
    REQUEST_METHOD: request.method,
    QUERY_STRING: request.url.search.slice(1),
    CONTENT_TYPE: headers["content-type"] ?? "",
    CONTENT_LENGTH: String(request.body.length),
    REMOTE_ADDR: request.address,
    REMOTE_USER: user,
    ...(headers["content-encoding"] === undefined ? {} : { HTTP_CONTENT_ENCODING: headers["content-encoding"] }),
    ...(headers["git-protocol"] === undefined ? {} : { GIT_PROTOCOL: headers["git-protocol"] }),
  };
  return readCgi(await run(environment, request.body));
}

function run(environment: NodeJS.ProcessEnv, input: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", ["http-backend"], { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    const output: Buffer[] = [];
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      // A refusal is an answer with a status, whatever git's exit code is.
      if (output.length > 0) resolve(Buffer.concat(output));
      else reject(new Error(`git http-backend ended with ${code}: ${errors}`));
    });
    // Git may answer without reading all of a request.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

function readCgi(output: Buffer): CloudResponse {
  const end = output.indexOf("\r\n\r\n");
  const lines = output.subarray(0, end).toString("latin1").split("\r\n");
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const { status = "200 OK", ...headers } = Object.fromEntries(fields);
  return { status: Number.parseInt(status, 10), headers, body: output.subarray(end + 4) };
}
