// Errors as the engine shows them: one clear message, no stack, the cause of a cause included.

import grpc from "@grpc/grpc-js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import anyPb from "google-protobuf/google/protobuf/any_pb.js";
import { PartialFailure, type Properties } from "./handler.ts";
import { toStruct } from "./property.ts";

/**
 * An error's message with those of its causes: `fetch failed` alone, Node's word for any network fault, helps nobody.
 * With PULUMI_DEBUG in the environment the stack follows.
 */
export function describe(error: unknown): string {
  const messages: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null; at = at instanceof Error ? at.cause : undefined) {
    const message = messageOf(at);
    if (message !== "" && !messages.some((earlier) => earlier.includes(message))) messages.push(message);
  }
  const text = messages.join(": ") || "unknown error";
  return process.env.PULUMI_DEBUG && error instanceof Error && error.stack ? `${text}\n${error.stack}` : text;
}

function messageOf(error: unknown): string {
  // A connection tried over IPv6 and IPv4 fails with both reasons and no message of its own.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

/**
 * The gRPC error for a thrown value.
 * @param inputs the resource's inputs, which the engine keeps with a partly created or updated resource.
 */
export function toServiceError(error: unknown, inputs: Properties | undefined): Partial<grpc.ServiceError> {
  if (error instanceof PartialFailure) return initFailed(error, inputs);
  return { code: grpc.status.UNKNOWN, details: describe(error) };
}

function initFailed(failure: PartialFailure, inputs: Properties | undefined): Partial<grpc.ServiceError> {
  const detail = new providerPb.ErrorResourceInitFailed();
  detail.setId(failure.id);
  detail.setProperties(toStruct(failure.state));
  detail.setReasonsList([...failure.reasons]);
  if (inputs !== undefined) detail.setInputs(toStruct(inputs));

  const packed = new anyPb.Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");

  const status = new statusPb.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(failure.message);
  status.setDetailsList([packed]);

  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: failure.message, metadata };
}
