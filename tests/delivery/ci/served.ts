// A simulated service on loopback, as a server of one's own would be: without a door.

import { type CloudRequest, type Service, ServiceError } from "../../../rehearsal/cloud/types.ts";
import { type Loopback, listen } from "../../support/loopback.ts";

/** @param origin that the service gives to itself, which is the server's in its answers. */
export async function serve(service: Service, origin: string): Promise<Loopback> {
  const server: Loopback = await listen(async ({ method, path, headers, body }) => {
    const request: CloudRequest = {
      ...{ method, body, place: "outside", address: "203.0.113.10" },
      url: new URL(path, origin),
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    };
    const answer = await service(request).catch((error: unknown) => {
      if (error instanceof ServiceError) return error.response;
      throw error;
    });
    const link = answer.headers?.link?.replaceAll(origin, server.origin);
    return { ...answer, headers: { ...answer.headers, ...(link !== undefined && { link }) } };
  });
  return server;
}
