// The command that finds tools, behind an office's proxy: the only way to a download.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, it } from "mocha";
import { Authority } from "../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../rehearsal/cloud/door/door.ts";
import { archive, checksumLine, type Machine, machine } from "./machine.ts";

const MAIN = join(import.meta.dirname, "../../tools/main.ts");

describe("npm run tools behind a proxy", () => {
  let box: Machine;
  let door: Door;
  let proxy: string;
  let authority: string;
  let requests: string[];

  beforeEach(async () => {
    box = await machine();
    const issuer = await Authority.create();
    authority = join(dirname(box.cache), "authority.pem");
    await writeFile(authority, issuer.pem);
    door = new Door(issuer);
    requests = [];
    door.onRequest = ({ url }) => requests.push(url.host);
    proxy = `http://127.0.0.1:${await door.listen("outside")}`;
    const body = archive({ [`${platform()}/helm`]: "helm 4" });
    door.route("get.helm.sh", async ({ url }) => {
      const name = url.pathname.slice(1);
      return { status: 200, body: name.endsWith(".sha256sum") ? checksumLine(body, name.slice(0, -10)) : body };
    });
  });

  afterEach(async () => {
    await door.close();
    await box.close();
  });

  const platform = () => `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;

  for (const variable of ["HTTPS_PROXY", "https_proxy"])
    it(`downloads through the one of ${variable}`, async () => {
      await box.go("exit 1"); // where the download fails, so does the rest
      const env = { ...box.env, [variable]: proxy, NODE_EXTRA_CA_CERTS: authority };
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, "helm"], { env });
      assert.equal(await readFile(stdout.trim(), "utf8"), "helm 4");
      assert.match(stderr, /^helm 4\.2\.4: downloaded in \d+ s, checksum verified$/m);
      assert.deepEqual(requests, ["get.helm.sh", "get.helm.sh"]);
    });
});
