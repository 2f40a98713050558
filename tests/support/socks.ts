// A SOCKS proxy on loopback (RFC 1928) by which programs reach hosts that stand on this machine under their real names:
// Go's SSH clients, Flux's among them, take it from ALL_PROXY.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface SocksProxy {
  /** `socks5://127.0.0.1:PORT`; the names are the proxy's to resolve. */
  readonly url: string;
  /** Leads the connections to a host and its port to a port of this machine; all else is refused. */
  lead(target: string, port: number): void;
  close(): Promise<void>;
}

export async function startSocksProxy(): Promise<SocksProxy> {
  const leads = new Map<string, number>();
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const server = createServer((socket) => {
    keep(socket);
    let isGreeted = false;
    let bytes = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!isGreeted) {
        if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt8(1)) return;
        bytes = bytes.subarray(2 + bytes.readUInt8(1));
        isGreeted = true;
        // Nobody has to sign in.
        socket.write(Buffer.from([5, 0]));
      }
      if (bytes.length < 5) return;
      const isName = bytes.readUInt8(3) === 3;
      const end = isName ? 5 + bytes.readUInt8(4) : 8;
      if (bytes.length < end + 2) return;
      socket.off("data", read);
      const host = isName ? bytes.subarray(5, end).toString() : bytes.subarray(4, 8).join(".");
      const port = leads.get(`${host}:${bytes.readUInt16BE(end)}`);
      const answer = (code: number) => socket.write(Buffer.from([5, code, 0, 1, 127, 0, 0, 1, 0, 0]));
      if (port === undefined) {
        answer(4);
        socket.end();
        return;
      }
      const server = connect({ host: "127.0.0.1", port });
      keep(server);
      server.once("connect", () => {
        answer(0);
        socket.pipe(server).pipe(socket);
      });
      server.once("close", () => socket.destroy());
      socket.once("close", () => server.destroy());
    };
    socket.on("data", read);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `socks5://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead: (target, port) => void leads.set(target, port),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
