// Free ports of loopback for programs that cannot take one by themselves.
import { createServer } from "node:net";

/** Below the range that Linux, macOS and Windows give to outgoing connections: none of those can take a port first. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Ports that this process handed out: their programs may not listen yet. */
const taken = new Set<number>();

/** Ports that nothing listens on, each given to one caller of this process alone. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > 1_000) throw new Error(`no free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1`);
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
