// A provider on the wire: serves a `Provider` of handler.ts to the Pulumi engine over gRPC.

import { fstatSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { EngineLog } from "./engineLog.ts";
import type { Provider } from "./handler.ts";
import { ProviderService } from "./service.ts";

/** The engine's own limit (sdk/go/common/util/rpcutil); gRPC's default of 4 MB is too small for big resources. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/** How often an orphan looks whether its parent is still there, in milliseconds. */
const PARENT_CHECK_INTERVAL = 2000;

/**
 * Serves a provider on a free port of the loopback interface and prints the port as the first line of stdout, as the
 * engine expects. Ends the process when the engine that started it is gone.
 * @param argv the arguments after the script's name; the first that is no flag is the engine's address.
 * @returns the port.
 */
export async function serve(provider: Provider, argv: readonly string[] = process.argv.slice(2)): Promise<number> {
  const log = new EngineLog();
  const address = argv.find((argument) => !argument.startsWith("-"));
  if (address !== undefined) {
    log.connect(address);
    endWithParent();
  }
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
  const service = new ProviderService(provider, log);
  server.addService(providerGrpc.ResourceProviderService, service.implementation());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  process.stdout.write(`${port}\n`);
  return port;
}

/**
 * The engine kills its plugins when it ends in order. When it is killed itself, the pipe that it holds to our stdin
 * closes; where stdin is no pipe, a new parent process tells.
 */
function endWithParent(): void {
  const end = () => process.exit(0);
  const stdin = fstatSync(0);
  if (stdin.isFIFO() || stdin.isSocket()) {
    process.stdin.on("end", end).on("error", end).resume();
  }
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, PARENT_CHECK_INTERVAL).unref();
}
