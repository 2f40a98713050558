import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect as connectTcp, createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { Authority } from "../../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../../rehearsal/cloud/door/door.ts";
import { type CloudRequest, ServiceError } from "../../../../rehearsal/cloud/types.ts";

const run = promisify(execFile);

describe("the door", () => {
  let folder: string;
  let door: Door;
  let outside: number;
  let environment: NodeJS.ProcessEnv;
  const errors: unknown[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "door-"));
    const authority = await Authority.create();
    const pem = join(folder, "authority.pem");
    await writeFile(pem, authority.pem);
    door = new Door(authority);
    door.onError = (error) => errors.push(error);
    const echo = async (request: CloudRequest) => ({
      status: 200,
      body: {
        method: request.method,
        url: request.url.href,
        place: request.place,
        address: request.address,
        length: request.body.length,
        extra: request.headers["x-extra"],
      },
    });
    door.route("echo.example.com", echo);
    door.route("*.azurecr.io", async ({ url }) => ({ status: 200, body: `registry ${url.hostname}` }));
    door.route("special.azurecr.io", async () => ({ status: 200, body: "special" }));
    door.route("*.vault.azure.net", echo, { exists: (host) => host === "there.vault.azure.net" });
    door.route("fails.example.com", async ({ url }) => {
      if (url.pathname === "/service") {
        throw new ServiceError({ status: 409, body: { error: { code: "Conflict" } } }, "conflict");
      }
      throw new Error("a bug");
    });
    // What a repository on a plain file server answers.
    door.route("git.example.com", async ({ url }) =>
      url.pathname.endsWith("/info/refs")
        ? { status: 200, body: `${"1".repeat(40)}\trefs/heads/main\n` }
        : { status: 200, body: "ref: refs/heads/main\n" },
    );
    outside = await door.listen("outside");
    environment = {
      PATH: process.env.PATH,
      HTTPS_PROXY: `http://127.0.0.1:${outside}`,
      HTTP_PROXY: `http://127.0.0.1:${outside}`,
      NODE_USE_ENV_PROXY: "1",
      NODE_EXTRA_CA_CERTS: pem,
      SSL_CERT_FILE: pem,
      GIT_SSL_CAINFO: pem,
      CURL_CA_BUNDLE: pem,
    };
  });

  after(async () => {
    await door.close();
    await rm(folder, { recursive: true });
  });

  /** curl's standard output, with `status` after the body. */
  async function curl(...args: string[]): Promise<string> {
    const { stdout } = await run("curl", ["-sS", "-w", " %{http_code}", ...args], { env: environment });
    return stdout;
  }

  /** What a client process says when it fails. */
  async function failure(program: string, ...args: string[]): Promise<string> {
    try {
      await run(program, args, { env: environment });
    } catch (error) {
      return String((error as { stderr: string }).stderr);
    }
    throw new Error(`${program} did not fail`);
  }

  it("gives a service the real URL, the body and the caller's place to curl's request", async () => {
    const answer = await curl("-H", "X-Extra: 1", "-d", "abc", "https://echo.example.com//a?b=c");
    assert.equal(
      answer,
      '{"method":"POST","url":"https://echo.example.com//a?b=c","place":"outside","address":"203.0.113.10","length":3,"extra":"1"} 200',
    );
  });

  it("serves node's fetch, which trusts the authority through NODE_EXTRA_CA_CERTS", async () => {
    const program = `const r = await fetch("https://echo.example.com/x", { method: "PUT", body: "12345" }); console.log(r.status, (await r.json()).length)`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { env: environment });
    assert.equal(stdout, "200 5\n");
  });

  it("serves git", async () => {
    const { stdout } = await run("git", ["ls-remote", "https://git.example.com/o/r.git", "refs/heads/*"], {
      env: environment,
    });
    assert.equal(stdout, `${"1".repeat(40)}\trefs/heads/main\n`);
  });

  it("waits for no body before it says 100 Continue", async () => {
    const answer = await curl("-H", "Expect: 100-continue", "-d", "x".repeat(2000), "https://echo.example.com/");
    assert.match(answer, /"length":2000.* 200$/);
  });

  it("routes every host below a wildcard, an exact host first", async () => {
    assert.equal(await curl("https://acme.azurecr.io/v2/"), "registry acme.azurecr.io 200");
    assert.equal(await curl("https://special.azurecr.io/v2/"), "special 200");
    assert.match(await failure("curl", "-sS", "https://a.b.azurecr.io/"), /response 403/);
  });

  it("refuses an unknown host with a word that names it", async () => {
    const answer = await connectRaw(outside, "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 403 example\.org is not a host this rehearsal knows\r\n/);
    assert.match(answer, /\r\n\r\nexample\.org is not a host this rehearsal knows\n$/);
  });

  it("refuses other ports and plain http", async () => {
    assert.match(await failure("curl", "-sS", "https://echo.example.com:8443/"), /response 403/);
    assert.match(await curl("-x", environment.HTTP_PROXY ?? "", "http://echo.example.com/"), /^plain http.* 403$/s);
  });

  it("fails to resolve a host of a wildcard that does not exist", async () => {
    assert.match(await curl("https://there.vault.azure.net/"), / 200$/);
    const answer = await connectRaw(outside, "CONNECT gone.vault.azure.net:443 HTTP/1.1\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 502 lookup gone\.vault\.azure\.net: no such host\r\n/);
  });

  it("answers with a service's own error, and with 500 and a record where a service breaks", async () => {
    assert.equal(await curl("https://fails.example.com/service"), '{"error":{"code":"Conflict"}} 409');
    assert.equal(errors.length, 0);
    assert.equal(await curl("https://fails.example.com/bug"), "the rehearsal failed: a bug\n 500");
    assert.deepEqual(
      errors.map((error) => (error as Error).message),
      ["a bug"],
    );
  });

  it("tells the places apart by port", async () => {
    const inside = await door.listen("inside");
    const own = await door.listen("cluster", "10.60.0.99");
    const url = "https://echo.example.com/";
    assert.match(await curl("-x", `http://127.0.0.1:${inside}`, url), /"inside","address":"10\.60\.0\.4"/);
    assert.match(await curl("-x", `http://127.0.0.1:${own}`, url), /"cluster","address":"10\.60\.0\.99"/);
  });

  it("keeps a connection for several requests, answers HEAD without a body, and refuses another host on it", async () => {
    const socket = await tunnel(outside, "echo.example.com", environment.SSL_CERT_FILE ?? "");
    const first = await exchange(socket, "HEAD / HTTP/1.1\r\nHost: echo.example.com\r\n\r\n");
    assert.match(first, /^HTTP\/1\.1 200 .*content-length: \d+\r\n.*\r\n\r\n$/is);
    assert.match(await exchange(socket, "GET / HTTP/1.1\r\nHost: echo.example.com:443\r\n\r\n"), /^HTTP\/1\.1 200 /);
    assert.match(await exchange(socket, "GET / HTTP/1.1\r\nHost: github.com\r\n\r\n"), /^HTTP\/1\.1 421 /);
    socket.destroy();
  });

  it("refuses a body beyond 256 MB", async () => {
    const socket = await tunnel(outside, "echo.example.com", environment.SSL_CERT_FILE ?? "");
    const request = `POST / HTTP/1.1\r\nHost: echo.example.com\r\nContent-Length: ${256 * 1024 * 1024 + 1}\r\n\r\n`;
    assert.match(await exchange(socket, request), /^HTTP\/1\.1 413 .*connection: close/is);
    socket.destroy();
  });

  it("leads a host's connections to a port as they are, or says why it does not", async () => {
    const echo = createTcp((socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    const { port } = echo.address() as AddressInfo;
    door.lead("*.raw.example.com", ({ host, place }) =>
      place === "outside" && host.startsWith("a.") ? port : "no way in",
    );
    const socket = connectTcp(outside, "127.0.0.1");
    const answer = () => new Promise<string>((resolve) => socket.once("data", (data) => resolve(data.toString())));
    socket.write("CONNECT a.raw.example.com:443 HTTP/1.1\r\n\r\n");
    assert.equal(await answer(), "HTTP/1.1 200 Connection Established\r\n\r\n");
    socket.write("not TLS");
    assert.equal(await answer(), "not TLS");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.end();
    await closed;
    const connect = (host: string) => connectRaw(outside, `CONNECT ${host} HTTP/1.1\r\n\r\n`);
    assert.match(await connect("b.raw.example.com:443"), /^HTTP\/1\.1 502 no way in\r\n/);
    assert.match(await connect("a.raw.example.com:22"), /^HTTP\/1\.1 403 /);
    await new Promise((resolve) => echo.close(resolve));
    assert.match(await connect("a.raw.example.com:443"), /^HTTP\/1\.1 502 connect ECONNREFUSED/);
  });

  it("closes while connections are open", async () => {
    const other = new Door(await Authority.create());
    other.route("echo.example.com", async () => ({ status: 200 }));
    const port = await other.listen("outside");
    const socket = connectTcp(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await other.close();
    await closed;
  });
});

function connectRaw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, "127.0.0.1", () => socket.write(request));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
  });
}

async function tunnel(port: number, host: string, caFile: string): Promise<TLSSocket> {
  const ca = await readFile(caFile);
  const socket = connectTcp(port, "127.0.0.1", () => socket.write(`CONNECT ${host}:443 HTTP/1.1\r\n\r\n`));
  await new Promise((resolve) => socket.once("data", resolve));
  const secure = connectTls({ socket, ca, servername: host, ALPNProtocols: ["h2", "http/1.1"] });
  await new Promise((resolve, reject) => {
    secure.once("secureConnect", resolve);
    secure.once("error", reject);
  });
  assert.equal(secure.alpnProtocol, "http/1.1");
  return secure;
}

function exchange(socket: TLSSocket, request: string): Promise<string> {
  socket.write(request);
  return new Promise((resolve) => socket.once("data", (data) => resolve(data.toString())));
}
