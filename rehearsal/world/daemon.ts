// The process that holds one stack's simulated cloud. It ends when its parent does, unless it was told to stay.
import { randomBytes, timingSafeEqual } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { useProxy } from "../../net/proxy.ts";
import { family, kill } from "../descendants.ts";
import { type CloudFile, pathsOf } from "../session.ts";
import { World } from "./world.ts";

const stack = process.argv[2];
if (stack === undefined) throw new Error("usage: daemon.ts STACK");
const paths = pathsOf(stack);

useProxy();

let kept = false;
const guarded = new Set<number>();
const families = new Map<number, number[]>();

const world = await World.create(stack, paths);
const token = randomBytes(24).toString("base64url");

const routes: Record<string, (body: string) => Promise<object>> = {
  "/inspection": () => world.inspect(),
  "/flux": () => world.inspectFlux(),
  "/reconcile": (body) => world.reconcile(JSON.parse(body)),
  "/time": () => world.passTime(),
  "/content": () => world.addContent(),
  "/deployments": async () => world.deployments.all(),
  "/deployments/setup": async (body) => {
    const { stack, repository, gitOps } = JSON.parse(body);
    return world.deployments.setUp(stack, repository, gitOps);
  },
  "/deployments/event": (body) => world.deployments.receive(JSON.parse(body)),
  "/keeping": async () => ({ kept }),
  ...world.pipelines.routes,
};

const server = createServer(async (request, response) => {
  const given = Buffer.from(request.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  const route = routes[request.url ?? ""];
  const allowed = given.length === wanted.length && timingSafeEqual(given, wanted);
  const [status, body] = !allowed
    ? [401, { error: "the rehearsal's cloud wants the token of its cloud.json" }]
    : route === undefined
      ? [404, { error: `the rehearsal's cloud knows no ${request.url}` }]
      : await text(request)
          .then(route)
          .then(
            (answer): [number, object] => [200, answer],
            (error: Error): [number, object] => {
              process.stderr.write(`${request.url}: ${error.stack}\n`);
              return [500, { error: error.message }];
            },
          );
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

// A parent that crashes says nothing, and the plugins of an engine that is killed have no parent any more: so who they
// are is looked up while all is well.
const lookUp = setInterval(() => {
  for (const pid of guarded) families.set(pid, family(pid));
}, 250);

async function shutDown(): Promise<void> {
  clearInterval(lookUp);
  server.close();
  server.closeAllConnections();
  await world.close();
  rmSync(paths.daemonFile, { force: true });
  process.exit(0);
}

process.on("SIGTERM", shutDown).on("SIGINT", shutDown);

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [word, argument] = line.split(" ");
    if (word === "keep") kept = true;
    if (word === "guard") guarded.add(Number(argument));
    if (word === "done") guarded.delete(Number(argument)) && families.delete(Number(argument));
  })
  .on("close", () => {
    if (kept) return;
    for (const pid of guarded) kill([...family(pid), ...(families.get(pid) ?? [])]);
    void shutDown();
  });

const file: CloudFile = {
  pid: process.pid,
  control: { port: (server.address() as AddressInfo).port, token },
  ...world.cloud,
};
// Written whole under another name first: whoever waits for it never reads half of it.
writeFileSync(`${paths.daemonFile}.new`, JSON.stringify(file, undefined, 2), { mode: 0o600 });
renameSync(`${paths.daemonFile}.new`, paths.daemonFile);
