// Messages to the engine that started this plugin: stdout and stderr of a plugin are not shown to anybody.

import grpc from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import type { Context } from "./handler.ts";

type Severity = Parameters<Context["log"]>[0];

const SEVERITIES: Readonly<Record<Severity, enginePb.LogSeverity>> = {
  debug: enginePb.LogSeverity.DEBUG,
  info: enginePb.LogSeverity.INFO,
  warning: enginePb.LogSeverity.WARNING,
  error: enginePb.LogSeverity.ERROR,
};

/** A message that the engine has not taken after this many milliseconds is given up: it must not hold up a resource. */
const LOG_DEADLINE = 5000;

/** The engine's log; without an address messages go to stderr, for a plugin started by hand. */
export class EngineLog {
  #client: engineGrpc.EngineClient | undefined;

  /** Sends to the engine at this address (`host:port`) from now on. */
  connect(address: string): void {
    this.#client?.close();
    this.#client = new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
  }

  /** Shows a message beside a resource. Settles when the engine has it or will not take it; never rejects. */
  send(severity: Severity, message: string, urn: string): Promise<void> {
    const client = this.#client;
    if (client === undefined) {
      process.stderr.write(`${severity}: ${message}\n`);
      return Promise.resolve();
    }
    const request = new enginePb.LogRequest();
    request.setSeverity(SEVERITIES[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    return new Promise((resolve) => {
      client.log(request, new grpc.Metadata(), { deadline: Date.now() + LOG_DEADLINE }, () => resolve());
    });
  }
}
