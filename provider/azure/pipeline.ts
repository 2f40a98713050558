// How requests reach Azure: by the pipeline of Azure's own libraries, which knows proxies, with this program's rules for
// what is tried again. Theirs repeat a POST that may have had an effect.

import type { HttpClient, Pipeline, PipelinePolicy, RestError } from "@azure/core-rest-pipeline";
import { type BusyOptions, RefusedAnswer, untilAnswered } from "../../net/http.ts";

/** Azure Resource Manager answers within a minute; what takes longer it makes an operation of. In milliseconds. */
const PATIENCE = 300_000;

/** A pipeline and what sends its requests. */
export interface Transport {
  readonly pipeline: Pipeline;
  readonly client: HttpClient;
}

/**
 * A pipeline that honours HTTPS_PROXY and NO_PROXY and follows redirects within one host.
 * @param authorize gives the Authorization header of every request.
 */
export async function createTransport(endpoint: string, authorize: () => Promise<string>): Promise<Transport> {
  // Loaded only here, as the credential's library is, which needs it too: a preview may ask nothing of Azure.
  const library = await import("@azure/core-rest-pipeline");
  const pipeline = library.createEmptyPipeline();
  if (endpoint.startsWith("https:")) pipeline.addPolicy(library.proxyPolicy());
  pipeline.addPolicy(library.decompressResponsePolicy());
  pipeline.addPolicy(library.redirectPolicy());
  // After the redirects, which take the header away.
  pipeline.addPolicy(
    {
      name: "authorization",
      async sendRequest(request, next) {
        request.headers.set("authorization", await authorize());
        return next(request);
      },
    },
    { afterPolicies: [library.redirectPolicyName] },
  );
  return { pipeline, client: library.createDefaultHttpClient() };
}

/**
 * Tries a request again as {@link untilAnswered} does.
 * @param patience how long an answer may take from the request to its last byte, in milliseconds.
 */
export function busyPolicy(options: BusyOptions, patience = PATIENCE): PipelinePolicy {
  return {
    name: "busy",
    sendRequest: (request, next) =>
      untilAnswered(async () => {
        const late = AbortSignal.timeout(patience);
        request.abortSignal = options.signal === undefined ? late : AbortSignal.any([options.signal, late]);
        try {
          return await next(request);
        } catch (error) {
          options.signal?.throwIfAborted();
          const { host } = new URL(request.url);
          if (late.aborted) throw new RefusedAnswer(`${host} has not answered for ${patience / 60_000} min`);
          // A connection tried over IPv6 and IPv4 fails without a message, but with a code.
          const { message, code } = error as RestError;
          throw new Error(`${host} cannot be reached: ${message || code}`);
        }
      }, options),
  };
}
