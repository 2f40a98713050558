import type { ClientHttp2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";

/** A call of gRPC that came in, and the server that it may go on to. */
export interface Call {
  readonly host: ClientHttp2Session;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

/** Headers without those that say how they came, which HTTP/2 forbids to repeat. */
const own = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== ":authority" && name !== ":scheme"));

/**
 * Hands a call on and its answer back, both as they come.
 * @param body what was read of the call already.
 * @param refused asked when the host answers with nothing but a failure; where it gives true, it answers itself.
 */
export function forward({ host, stream, headers }: Call, body?: Buffer, refused?: (message: string) => boolean): void {
  const onward = host.request(own(headers), { waitForTrailers: false });
  if (body === undefined) stream.pipe(onward);
  else onward.end(body);
  onward.on("response", (answer, flags) => {
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      if (!refused?.(String(answer["grpc-message"]))) stream.respond(answer, { endStream: true });
      return;
    }
    let trailers: IncomingHttpHeaders = {};
    stream.respond(answer, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    onward.on("trailers", (last) => {
      trailers = last;
    });
    onward.pipe(stream);
  });
  onward.on("error", () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  stream.on("close", () => onward.close(constants.NGHTTP2_CANCEL));
}
