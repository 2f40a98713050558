import { strict as assert } from "node:assert";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, it } from "mocha";
import { LIMITS, retryAfter, send } from "../../net/http.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "../support/loopback.ts";

const ONCE = { repeatable: false };
const clock = () => {
  const waits: number[] = [];
  const pause = async (milliseconds: number) => {
    waits.push(milliseconds);
  };
  return { waits, now: () => 0, pause };
};

describe("sending a request", () => {
  let servers: Loopback[] = [];
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()));
    servers = [];
  });
  const serve = async (answer: (request: LoopbackRequest) => LoopbackAnswer) => {
    const server = await listen(answer);
    servers.push(server);
    return server;
  };

  it("gives the answer as a whole, with where it came from", async () => {
    const server = await serve(({ path }) =>
      path === "/old" ? { status: 302, headers: { location: "/new?a=1" } } : { status: 404, body: "nothing" },
    );
    const answer = await send(`${server.origin}/old`, {}, ONCE);
    assert.deepEqual(
      [answer.url, answer.status, answer.statusText, answer.ok, answer.body.toString()],
      [`${server.origin}/new?a=1`, 404, "Not Found", false, "nothing"],
    );
  });

  it("waits for a busy server eight times, and repeats others only where that does no harm", async () => {
    let status = 503;
    const server = await serve(() => ({ status }));
    const time = clock();
    assert.equal((await send(server.origin, {}, { ...ONCE, clock: time })).status, 503);
    assert.equal(server.requests.length, 8);
    const least = [500, 1000, 2000, 4000, 8000, 16_000, 30_000];
    assert.ok(time.waits.every((wait, index) => wait >= (least[index] ?? 0) && wait <= (least[index] ?? 0) * 1.25));
    status = 500;
    await send(server.origin, {}, { ...ONCE, clock: clock() });
    assert.equal(server.requests.length, 9);
    await send(server.origin, {}, { repeatable: true, clock: clock() });
    assert.equal(server.requests.length, 17);
  });

  it("tries a connection three times, where the request may arrive twice", async () => {
    const server = await serve(() => ({}));
    await server.close();
    for (const [repeatable, waits] of [
      [true, 2],
      [false, 0],
    ] as const) {
      const time = clock();
      await assert.rejects(send(server.origin, {}, { repeatable, clock: time }), /fetch failed/);
      assert.equal(time.waits.length, waits);
    }
  });

  it("reads Retry-After in seconds and as a date, up to two minutes", () => {
    const waitOf = (value: string) => retryAfter({ headers: new Headers({ "retry-after": value }) });
    assert.deepEqual(
      [waitOf("2"), waitOf("0"), waitOf("-3"), waitOf("9999"), waitOf("soon")],
      [2000, 0, 0, 120_000, undefined],
    );
    assert.equal(waitOf(new Date(Date.now() - 1000).toUTCString()), 0);
    assert.equal(retryAfter({ headers: new Headers() }), undefined);
  });

  it("takes the Authorization header to no other host", async () => {
    const second = await serve(({ headers }) => ({ body: headers.authorization ?? "no token" }));
    const first = await serve(({ path }) => ({
      status: 307,
      headers: { location: path === "/own" ? "/away" : second.origin.replace("127.0.0.1", "localhost") },
    }));
    const headers = { authorization: "Bearer secret", accept: "a/b" };
    const answer = await send(`${first.origin}/own`, { headers }, ONCE);
    assert.equal(answer.body.toString(), "no token");
    assert.equal(answer.url, `${second.origin.replace("127.0.0.1", "localhost")}/`);
    assert.deepEqual(
      first.requests.map((request) => request.headers.authorization),
      ["Bearer secret", "Bearer secret"],
    );
    assert.equal(second.requests[0]?.headers.accept, "a/b");
  });

  it("takes a body to no other host, and turns a POST into a GET as browsers do", async () => {
    const second = await serve(({ method, body }) => ({ body: `${method} ${body}` }));
    let status = 307;
    const first = await serve(() => ({ status, headers: { location: second.origin } }));
    const post = () => send(first.origin, { method: "POST", body: "secret" }, { repeatable: true });
    await assert.rejects(post(), /127\.0\.0\.1:\d+ sends a POST on to another host, 127\.0\.0\.1:\d+: refused/);
    assert.equal(first.requests.length, 1);
    for (status of [301, 302, 303]) assert.equal((await post()).body.toString(), "GET ");
  });

  it("stops where it is sent round in circles, or may not be sent on at all", async () => {
    const server = await serve(() => ({ status: 302, headers: { location: "/" } }));
    await assert.rejects(send(server.origin, {}, { repeatable: true }), /sends on more than 20 times/);
    assert.equal(server.requests.length, 21);
    await assert.rejects(send(server.origin, { redirect: "error" }, ONCE), /sends on to 127.*: not followed/);
    assert.equal(server.requests.length, 22);
  });

  it("stops when its signal is aborted", async () => {
    const server = await serve(() => ({ status: 429, headers: { "retry-after": "60" } }));
    const signal = AbortSignal.timeout(50);
    await assert.rejects(send(server.origin, {}, { repeatable: true, signal }), { name: "TimeoutError" });
  });
});

describe("a redirect from https to http", () => {
  const real = globalThis.fetch;
  afterEach(() => {
    globalThis.fetch = real;
  });

  it("is refused, and not tried again", async () => {
    const requests: string[] = [];
    globalThis.fetch = async (url) => {
      requests.push(String(url));
      return new Response(null, { status: 302, headers: { location: "http://charts.example/kured.tgz" } });
    };
    await assert.rejects(send("https://charts.example/kured.tgz", {}, { repeatable: true }), {
      message: "charts.example sends on to http://charts.example, which is not encrypted: refused",
    });
    assert.deepEqual(requests, ["https://charts.example/kured.tgz"]);
  });
});

describe("a server that does not get on", () => {
  let server: Server;
  let answer: (response: ServerResponse) => void;
  let requests: number;
  beforeEach(async () => {
    requests = 0;
    server = createServer((_, response) => {
      requests++;
      answer(response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = (limits: Partial<typeof LIMITS>, init: RequestInit = {}) =>
    send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, init, {
      repeatable: true,
      limits: { ...LIMITS, ...limits },
    });

  it("is given up when it is silent, once", async () => {
    answer = () => {};
    await assert.rejects(ask({ silence: 100 }), /^Error: http:\/\/127\.0\.0\.1:\d+ has not answered for 0 s$/);
    assert.equal(requests, 1);
  });

  it("is given more time for an upload", async () => {
    answer = (response) => setTimeout(() => response.end("there"), 200);
    const body = new Uint8Array(1000);
    const limits = { silence: 100, window: 1000, progress: 1000 };
    assert.equal((await ask(limits, { method: "PUT", body })).body.toString(), "there");
  });

  it("is given up when it drips, and waited for as long as it makes progress", async () => {
    const drip = (size: number, count: number) => (response: ServerResponse) => {
      let left = count;
      const timer = setInterval(() => {
        response.write("x".repeat(size));
        if (--left === 0) response.end();
      }, 10);
      response.on("close", () => clearInterval(timer));
      response.on("finish", () => clearInterval(timer));
    };
    const limits = { window: 100, progress: 200 };
    answer = drip(1, 1000);
    await assert.rejects(ask(limits), /sends too slowly: \d+ bytes in 0\.1 s$/);
    assert.equal(requests, 1);
    answer = drip(500, 40);
    assert.equal((await ask(limits)).body.length, 20_000);
  });

  it("is not read on when it sends more than fits", async () => {
    answer = (response) => response.end("x".repeat(1001));
    await assert.rejects(ask({ size: 1000 }), /sends more than 1000 bytes: not read on/);
    assert.equal((await ask({ size: 1001 })).body.length, 1001);
    assert.equal(requests, 2);
  });
});
