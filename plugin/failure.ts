// Errors as the engine shows them.

import grpc from "@grpc/grpc-js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import anyPb from "google-protobuf/google/protobuf/any_pb.js";
import { describe } from "../net/describe.ts";
import { PartialFailure, type Properties } from "./handler.ts";
import { toStruct } from "./property.ts";

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
