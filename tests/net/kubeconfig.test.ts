import { strict as assert } from "node:assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "mocha";
import { stringify } from "yaml";
import { kubeContext } from "../../net/kubeconfig.ts";

const SERVER = "https://factory.acme.com:6443";
const AUTHORITY = Buffer.from("AUTHORITY").toString("base64");
const CLUSTER = { server: SERVER, "certificate-authority-data": AUTHORITY };

describe("a context of the kubeconfig", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, content: unknown) => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === "string" ? content : stringify(content));
    return file;
  };
  const config = (user: object, cluster: object = CLUSTER, name = "factory") => ({
    contexts: [{ name, context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
  });
  const read = (content: unknown, name = "factory") =>
    kubeContext(name, { KUBECONFIG: write("config", content), PATH: process.env.PATH });
  const signsIn = async (user: object) => (await read(config(user))).credential();
  /** A program that signs in: prints what it is told to, and notes that it ran. */
  const exec = (printed: unknown, code = 0) => {
    const script = write(
      "exec.mjs",
      `
      import { appendFileSync } from "node:fs";
      const { kind } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      appendFileSync(process.env.NOTES, kind + process.argv[2] + "\\n");
      process.stdout.write(${JSON.stringify(typeof printed === "string" ? printed : JSON.stringify(printed))});
      process.stderr.write("hush");
      process.exitCode = ${code};`,
    );
    const notes = write("notes", "");
    const env = [{ name: "NOTES", value: notes }];
    return {
      exec: { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args: [script, "!"], env },
    };
  };

  it("tells where the API server is and by which authority, from the text or a file beside it", async () => {
    const { endpoint, certificateAuthority } = await read(config({ token: "t" }));
    assert.deepEqual([endpoint, certificateAuthority], [SERVER, AUTHORITY]);
    write("ca.pem", "AUTHORITY");
    const beside = await read(config({ token: "t" }, { server: `${SERVER}/`, "certificate-authority": "ca.pem" }));
    assert.deepEqual([beside.endpoint, beside.certificateAuthority], [SERVER, AUTHORITY]);
  });

  it("signs in with a token, a token's file as it is by then, or a certificate", async () => {
    assert.deepEqual(await signsIn({ token: "first" }), { token: "first" });
    write("token", "second\n");
    const { credential } = await read(config({ tokenFile: "token", token: "old" }));
    assert.deepEqual(await credential(), { token: "second" });
    write("token", "third\n");
    assert.deepEqual(await credential(), { token: "third" });
    const [cert, key] = ["CERT", "KEY"].map((text) => Buffer.from(text).toString("base64"));
    assert.deepEqual(await signsIn({ "client-certificate-data": cert, "client-key-data": key }), {
      certificate: { cert: "CERT", key: "KEY" },
    });
  });

  it("asks a program once, and again when what it gave comes to its end", async () => {
    const status = (token: string, seconds?: number) => ({
      kind: "ExecCredential",
      status: {
        token,
        ...(seconds && { expirationTimestamp: new Date(Date.now() + seconds * 1000).toISOString() }),
      },
    });
    const runs = async (user: object) => {
      const { credential } = await read(config(user));
      const given = [await credential(), await credential()];
      return [given, readFileSync(join(folder, "notes"), "utf8")];
    };
    const both = [{ token: "t" }, { token: "t" }];
    assert.deepEqual(await runs(exec(status("t"))), [both, "ExecCredential!\n"]);
    assert.deepEqual(await runs(exec(status("t", 3600))), [both, "ExecCredential!\n"]);
    assert.deepEqual(await runs(exec(status("t", 30))), [both, "ExecCredential!\nExecCredential!\n"]);
  });

  it("says of a program that it failed, is not there or printed something else, and repeats nothing", async () => {
    const fails = (user: object, message: RegExp) =>
      assert.rejects(signsIn(user), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hush|secret/);
        return true;
      });
    await fails(exec("secret", 3), /which signs user u of the kubeconfig in, failed: run it by hand to see more$/);
    await fails(exec("secret"), /printed no ExecCredential/);
    await fails(exec({ status: { hidden: "secret" } }), /gave neither token nor certificate/);
    await fails(
      { exec: { command: "no-such-program", installHint: "Get it at acme.com" } },
      /is not there\. Get it at acme\.com/,
    );
  });

  it("is looked for in every file, the first one counting, and one that is not there passed over", async () => {
    const one = write("one", config({ token: "one" }));
    const other = write("other", config({ token: "other" }, CLUSTER, "second"));
    const files = [join(folder, "nothing"), one, other].join(delimiter);
    const tokenOf = async (name: string) => (await kubeContext(name, { KUBECONFIG: files })).credential();
    assert.deepEqual([await tokenOf("factory"), await tokenOf("second")], [{ token: "one" }, { token: "one" }]);
  });

  it("is refused where it is not there, naming those that are", async () => {
    await assert.rejects(read(config({ token: "t" }), "prod"), (error: Error) => {
      assert.match(
        error.message,
        /^the kubeconfig \(\S+config\) has no context prod; it has factory: name one of these/,
      );
      return true;
    });
    await assert.rejects(
      kubeContext("prod", { HOME: folder }),
      /there is no kubeconfig for context prod at \S+\.kube\S+: name/,
    );
    await assert.rejects(read("users: [token: hush\n: x"), (error: Error) => {
      assert.match(error.message, /^the kubeconfig \S+ is no YAML$/);
      return true;
    });
  });

  it("is refused where it leads elsewhere or past a check", async () => {
    const refused = (cluster: object, message: RegExp, user: object = { token: "t" }) =>
      assert.rejects(
        read(config(user, cluster)).then(({ credential }) => credential()),
        message,
      );
    await refused(
      { ...CLUSTER, "insecure-skip-tls-verify": true },
      /has insecure-skip-tls-verify, which is not taken here/,
    );
    await refused({ ...CLUSTER, "proxy-url": "http://proxy" }, /has proxy-url/);
    await refused(
      { ...CLUSTER, server: "http://factory.acme.com" },
      /is no https:\/\/<host>\[:<port>\]: http:\/\/factory/,
    );
    await refused({ server: SERVER }, /has no certificate-authority-data and no certificate-authority/);
    await refused(CLUSTER, /user u of the kubeconfig has none of token, tokenFile,/, { username: "u", password: "p" });
  });
});
