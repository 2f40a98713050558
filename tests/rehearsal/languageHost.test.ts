// What stands before a language host that runs no policy packs: all calls go through it, and packs it runs itself.
import { strict as assert } from "node:assert";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import language from "@pulumi/pulumi/proto/language_pb.js";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { forward } from "../../rehearsal/languageHost/forward.ts";
import { runPlugin } from "../../rehearsal/languageHost/runPlugin.ts";

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

const listening = async (handler: Handler): Promise<{ server: Http2Server; client: ClientHttp2Session }> => {
  const server = createServer();
  server.on("stream", handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, client: connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) };
};

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
}

describe("what stands before a language host", () => {
  /** What the host answers. */
  let answer: Handler;
  let host: Awaited<ReturnType<typeof listening>>;
  let front: Awaited<ReturnType<typeof listening>>;
  let folder: string;

  before(async () => {
    host = await listening((stream, headers) => answer(stream, headers));
    front = await listening((stream, headers) => {
      stream.on("error", () => undefined);
      const call = { host: host.client, stream, headers };
      if (headers[":path"] === "/RunPlugin") void runPlugin(call);
      else forward(call);
    });
  });

  after(() => {
    for (const { server, client } of [front, host]) {
      client.destroy();
      server.close();
    }
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pack-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function call(path: string, body: Buffer): Promise<Answer> {
    const stream = front.client.request({ ":method": "POST", ":path": path, "x-sent": "yes" });
    let trailers: IncomingHttpHeaders = {};
    stream.on("trailers", (last) => {
      trailers = last;
    });
    stream.end(body);
    const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
    return { headers, body: await buffer(stream), trailers };
  }

  /** The engine's call to run a plugin. */
  function request(kind: string): Buffer {
    const info = new language.ProgramInfo();
    info.setProgramDirectory(folder);
    const asked = new language.RunPluginRequest();
    asked.setKind(kind);
    asked.setInfo(info);
    asked.setArgsList(["127.0.0.1:1"]);
    asked.setEnvList([`PATH=${process.env.PATH}`, "OF_THE_ENGINE=a=b"]);
    const message = Buffer.from(asked.serializeBinary());
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    return Buffer.concat([prefix, message]);
  }

  /** What came back, in the order in which it came. */
  function output({ body }: Answer): { stdout: string; stderr: string; code: number | undefined } {
    const all = { stdout: "", stderr: "", code: undefined as number | undefined };
    for (let at = 0; at < body.length; ) {
      const length = body.readUInt32BE(at + 1);
      const response = language.RunPluginResponse.deserializeBinary(body.subarray(at + 5, at + 5 + length));
      all.stdout += Buffer.from(response.getStdout_asU8()).toString();
      all.stderr += Buffer.from(response.getStderr_asU8()).toString();
      if (response.hasExitcode()) all.code = response.getExitcode();
      at += 5 + length;
    }
    return all;
  }

  const refusing: Handler = (stream) => {
    stream.resume();
    stream.respond({ "grpc-status": 2, "grpc-message": "not supported" }, { endStream: true });
  };

  /** A pack's folder with an SDK whose runner is this program. */
  function packOf(runner: string): void {
    const place = join(folder, "node_modules/@pulumi/pulumi/cmd/run-policy-pack");
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "index.js"), runner);
  }

  it("hands a call on and its answer back, headers, bytes and trailers", async () => {
    answer = async (stream, headers) => {
      const sent = await buffer(stream);
      stream.respond(
        { "x-path": String(headers[":path"]), "x-sent": String(headers["x-sent"]) },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.concat([Buffer.from("got "), sent]));
    };
    const { headers, body, trailers } = await call("/Run", Buffer.alloc(300_000, "x"));
    assert.deepEqual([headers["x-path"], headers["x-sent"], trailers["grpc-status"]], ["/Run", "yes", "0"]);
    assert.equal(body.length, 300_004);
  });

  it("hands back a refusal that is nothing else", async () => {
    answer = refusing;
    const { headers, body } = await call("/Run", Buffer.from("x"));
    assert.deepEqual([headers["grpc-status"], headers["grpc-message"], body.length], ["2", "not supported", 0]);
  });

  it("ends the host's call where the engine gives its up", async () => {
    let ended: Promise<unknown> | undefined;
    const begun = new Promise<void>((resolve) => {
      answer = (stream) => {
        ended = once(stream, "close");
        stream.on("error", () => undefined);
        stream.respond({});
        resolve();
      };
    });
    const stream = front.client.request({ ":method": "POST", ":path": "/Run" });
    stream.on("error", () => undefined);
    await begun;
    stream.close();
    await ended;
  });

  it("runs a pack that the host says it cannot, in its folder and with the engine's words", async () => {
    answer = refusing;
    packOf(
      "console.log(JSON.stringify([process.cwd(), process.argv.slice(2), process.env.OF_THE_ENGINE])); console.error('x'); process.exit(3);",
    );
    const all = output(await call("/RunPlugin", request("analyzer")));
    assert.deepEqual(JSON.parse(all.stdout), [folder, ["127.0.0.1:1", folder], "a=b"]);
    assert.deepEqual([all.stderr, all.code], ["x\n", 3]);
  });

  it("ends a pack with the engine's call", async () => {
    answer = refusing;
    packOf("console.log(process.pid); setInterval(() => {}, 1000);");
    const stream = front.client.request({ ":method": "POST", ":path": "/RunPlugin" });
    stream.on("error", () => undefined);
    stream.end(request("analyzer"));
    const [data] = (await once(stream, "data")) as [Buffer];
    const pid = Number(output({ headers: {}, body: data, trailers: {} }).stdout);
    assert.doesNotThrow(() => process.kill(pid, 0));
    stream.close();
    const isGone = () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    };
    while (!isGone()) await sleep(10);
  });

  it("says what to do where the pack's packages are not installed", async () => {
    answer = refusing;
    const { trailers } = await call("/RunPlugin", request("analyzer"));
    assert.equal(trailers["grpc-status"], "2");
    assert.equal(decodeURIComponent(String(trailers["grpc-message"])), `${folder} finds no @pulumi/pulumi: run npm ci`);
  });

  it("leaves a pack to a host that runs it, and a plugin of another kind in any case", async () => {
    answer = (stream) => {
      stream.resume();
      stream.respond({}, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end("from the host");
    };
    assert.equal((await call("/RunPlugin", request("analyzer"))).body.toString(), "from the host");
    answer = refusing;
    const { headers } = await call("/RunPlugin", request("resource"));
    assert.equal(headers["grpc-message"], "not supported");
  });
});
