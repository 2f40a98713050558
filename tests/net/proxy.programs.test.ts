import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { isProxied, useProxy } from "../../net/proxy.ts";
import { type Loopback, listen } from "../support/loopback.ts";

const MODULE = new URL("../../net/proxy.ts", import.meta.url).href;

describe("useProxy", () => {
  let proxy: Server;
  let service: Loopback;
  let address: string;
  const connections: string[] = [];

  before(async () => {
    // A proxy that notes where a client wants to go and lets nobody through.
    proxy = createServer().on("connect", ({ url }, socket) => {
      connections.push(url ?? "");
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    service = await listen(() => ({ body: "direct" }));
  });

  after(async () => {
    proxy.close();
    await service.close();
  });

  /** What fetch and https.get of a process with these variables get from URLs, and where its proxy was to go. */
  async function asked(env: Record<string, string>, ...urls: string[]) {
    connections.length = 0;
    const script = `import { get } from "node:https";
      import { useProxy } from ${JSON.stringify(MODULE)};
      useProxy();
      for (const url of ${JSON.stringify(urls)}) {
        const text = await fetch(url).then((response) => response.text(), () => "not reached");
        console.log(text);
        if (url.startsWith("https:")) await new Promise((done) => get(url, done).on("error", done));
      }`;
    const { PATH = "" } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      env: { PATH, ...env },
    });
    return { answers: stdout.trim().split("\n"), connections: [...connections] };
  }

  it("takes fetch and https through the proxy, in capitals, in lower case, and without a scheme", async () => {
    const url = "https://get.helm.test/helm";
    for (const env of [
      { HTTPS_PROXY: `http://${address}` },
      { https_proxy: `http://${address}` },
      { https_proxy: `http://${address}`, HTTPS_PROXY: "http://127.0.0.1:1" },
      { HTTPS_PROXY: address },
      { http_proxy: address, https_proxy: address },
    ])
      assert.deepEqual(
        await asked(env, url),
        { answers: ["not reached"], connections: ["get.helm.test:443", "get.helm.test:443"] },
        JSON.stringify(env),
      );
  });

  it("leaves what NO_PROXY names alone, and loopback in any case", async () => {
    const { port } = new URL(service.origin);
    const urls = [service.origin, `http://localhost:${port}/`];
    for (const env of [{ HTTP_PROXY: address }, { http_proxy: address, no_proxy: "internal.test" }])
      assert.deepEqual(await asked(env, ...urls), { answers: ["direct", "direct"], connections: [] });
    const named = { HTTPS_PROXY: address, NO_PROXY: "other.test,.helm.invalid" };
    assert.deepEqual(await asked(named, "https://get.helm.invalid/"), { answers: ["not reached"], connections: [] });
  });

  it("changes nothing without one", async () => {
    const before = [fetch, (await import("node:https")).default.globalAgent];
    useProxy({ NO_PROXY: "localhost", HTTPS_PROXY: "" });
    assert.deepEqual([fetch, (await import("node:https")).default.globalAgent], before);
    assert.deepEqual(await asked({}, service.origin), { answers: ["direct"], connections: [] });
  });

  it("names the variable that holds no address, and not what it holds", () => {
    for (const text of ["socks5://user:hunter2@proxy:1080", "http://user:hunter2@"])
      assert.throws(() => useProxy({ HTTPS_PROXY: text }), {
        message: "The variable HTTPS_PROXY holds no address of a proxy: it must be http://HOST:PORT.",
      });
  });
});

describe("isProxied", () => {
  const url = (text: string) => new URL(text);

  it("follows Node: https goes by its own proxy or else by the other, http by its own", () => {
    assert.equal(isProxied(url("https://a.test"), { HTTPS_PROXY: "http://p" }), true);
    assert.equal(isProxied(url("https://a.test"), { http_proxy: "http://p" }), true);
    assert.equal(isProxied(url("http://a.test"), { https_proxy: "http://p" }), false);
    assert.equal(isProxied(url("http://a.test"), { HTTP_PROXY: "http://p" }), true);
    assert.equal(isProxied(url("https://a.test"), { HTTPS_PROXY: "", NO_PROXY: "*" }), false);
  });
});
