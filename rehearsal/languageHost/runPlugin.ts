// Runs a policy pack for the engine, by the words of @pulumi/pulumi 3.270 (proto/pulumi/language.proto, RunPlugin).
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import language from "@pulumi/pulumi/proto/language_pb.js";
import { type Call, forward } from "./forward.ts";

/** A message of gRPC begins with whether it is compressed, which none here is, and its length in four bytes. */
const PREFIX = 5;

function framed(fill: (response: InstanceType<typeof language.RunPluginResponse>) => void): Buffer {
  const response = new language.RunPluginResponse();
  fill(response);
  const message = response.serializeBinary();
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

// https://grpc.io/docs/guides/status-codes/
const OK = 0;
const UNKNOWN = 2;

/** The program of the SDK that runs a pack, as the pack itself would find it. */
function runnerOf(folder: string): string | undefined {
  try {
    return createRequire(join(folder, "index.js")).resolve("@pulumi/pulumi/cmd/run-policy-pack/index.js");
  } catch {
    return undefined;
  }
}

/** Lets the host run a plugin, and where it runs none at all, runs a policy pack. */
export async function runPlugin(call: Call): Promise<void> {
  const body = await buffer(call.stream);
  const request = language.RunPluginRequest.deserializeBinary(body.subarray(PREFIX));
  const refused = (message: string) => {
    if (request.getKind() !== "analyzer" || decodeURIComponent(message) !== "not supported") return false;
    run(call, request);
    return true;
  };
  forward(call, body, refused);
}

function run({ stream }: Call, request: InstanceType<typeof language.RunPluginRequest>): void {
  const folder = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
  stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
  const answer = (status: number, message = "") => {
    stream.on("wantTrailers", () =>
      stream.sendTrailers({ "grpc-status": status, "grpc-message": encodeURIComponent(message) }),
    );
    stream.end();
  };
  const main = runnerOf(folder);
  if (main === undefined) {
    answer(UNKNOWN, `${folder} finds no @pulumi/pulumi: run npm ci`);
    return;
  }
  const env = Object.fromEntries(
    request.getEnvList().map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
  // A pack's folder is its last argument and where it runs.
  const pack = spawn("node", [main, ...request.getArgsList(), folder], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  pack.stdout.on("data", (data: Buffer) => stream.write(framed((response) => response.setStdout(data))));
  pack.stderr.on("data", (data: Buffer) => stream.write(framed((response) => response.setStderr(data))));
  pack.on("error", (error) => answer(UNKNOWN, error.message));
  pack.on("close", (code) => {
    if (stream.destroyed) return;
    stream.write(framed((response) => response.setExitcode(code ?? 1)));
    answer(OK);
  });
  // A pack serves until it is ended: by the engine that gives the call up, or with this process.
  const end = () => pack.kill();
  stream.on("close", end);
  process.on("exit", end);
  pack.on("close", () => process.off("exit", end));
}
