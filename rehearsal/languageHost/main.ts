// Stands before the language host that Go builds, for the engines of rehearsals and tests: that host runs no policy packs.
// All calls go through to it, byte for byte; a pack, which it says it cannot run, is run here. It speaks HTTP/2 itself, for
// a gRPC library takes longer to load than all the rest. Arguments: the host, and the host's own.
import { spawn } from "node:child_process";
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { forward } from "./forward.ts";

function serve(host: ClientHttp2Session): void {
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    // An engine that ends leaves calls behind.
    stream.on("error", () => undefined);
    const call = { host, stream, headers };
    if (headers[":path"] !== "/pulumirpc.LanguageRuntime/RunPlugin") forward(call);
    else void import("./runPlugin.ts").then(({ runPlugin }) => runPlugin(call));
  });
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}

const [program = "", ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
child.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
child.on("exit", (code) => process.exit(code ?? 1));
// An engine that is gone takes the pipe of what is printed with it, whereupon this ends.
process.on("exit", () => child.kill());
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => child.kill(signal));
createInterface({ input: child.stdout }).once("line", (port) => {
  // What a program prints, its host prints.
  child.stdout.pipe(process.stdout);
  const host = connect(`http://127.0.0.1:${port}`);
  // A host that is gone is told of by its exit.
  host.on("error", () => undefined);
  serve(host);
});
