import { strict as assert } from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { cacheFolder } from "../../tools/cacheFolder.ts";
import { CLUSTER_TOOLS } from "../../tools/catalogue.ts";
import { ChecksumError } from "../../tools/download.ts";
import { findTool, toolAtHand } from "../../tools/findTool.ts";
import { archive, checksumLine, LINUX, type Machine, machine, zip } from "./machine.ts";

const HELM = "/helm-v4.2.4-linux-amd64.tar.gz";
const HELM_CACHED = "tools/helm-4.2.4-linux-x64/helm";
const PULUMI = "/releases/sdk/pulumi-v3.259.0-linux-x64.tar.gz";
const PULUMI_SUMS = "/pulumi/pulumi/releases/download/v3.259.0/pulumi-3.259.0-checksums.txt";

describe("findTool", () => {
  let box: Machine;
  beforeEach(async () => {
    box = await machine();
  });
  afterEach(() => box.close());

  const find = (name: Parameters<typeof findTool>[0]) => findTool(name, { ...box, platform: LINUX });

  function publishHelm(body = archive({ "linux-amd64/helm": "helm 4", "linux-amd64/LICENSE": "a license" })): Buffer {
    box.files.set(HELM, { body });
    box.files.set(`${HELM}.sha256sum`, { body: Buffer.from(checksumLine(body, HELM.slice(1))) });
    return body;
  }

  it("takes a program of PATH whose version fits, and asks nobody", async () => {
    const path = await box.program("helm", "echo v3.14.2+gc309b6f");
    assert.equal(await find("helm"), path);
    assert.deepEqual(box.requests, []);
    assert.deepEqual(box.lines, [`helm 3.14.2+gc309b6f: from PATH, ${path}`]);
  });

  it("says what is at hand, on PATH before the cache, and fetches nothing", async () => {
    const look = () => toolAtHand("helm", { ...box, platform: LINUX });
    assert.equal(await look(), undefined);
    publishHelm();
    const cached = await find("helm");
    const asked = box.requests.length;
    assert.deepEqual(await look(), { path: cached, version: "4.2.4", onPath: false });
    const path = await box.program("helm", "echo v3.14.2+gc309b6f");
    assert.deepEqual(await look(), { path, version: "3.14.2+gc309b6f", onPath: true });
    assert.equal(box.requests.length, asked);
  });

  it("passes over programs of PATH that are too old, too new or broken", async () => {
    publishHelm();
    for (const script of ["echo v3.13.9", "echo v5.0.0", "exit 1", "echo hello"]) {
      await box.program("helm", script);
      assert.equal(await find("helm"), join(box.cache, HELM_CACHED));
    }
  });

  it("downloads, verifies, unpacks and keeps the official release", async () => {
    publishHelm();
    const path = await find("helm");
    assert.equal(path, join(box.cache, HELM_CACHED));
    assert.equal(await readFile(path, "utf8"), "helm 4");
    assert.equal((await stat(path)).mode & 0o111, 0o111);
    assert.match(box.lines.join("\n"), /^helm 4\.2\.4: downloaded in \d+ s, checksum verified$/);
    assert.deepEqual(box.requests, [`${HELM}.sha256sum`, HELM]);

    assert.equal(await find("helm"), path);
    assert.equal(box.requests.length, 2);
    assert.equal(box.lines[1], "helm 4.2.4: from the cache");
  });

  it("downloads sops as the program it is", async () => {
    const release = "/getsops/sops/releases/download/v3.13.3";
    const body = Buffer.from("sops 3");
    box.files.set(`${release}/sops-v3.13.3.linux.amd64`, { body });
    const sums = `${checksumLine(Buffer.from("x"), "sops-v3.13.3.darwin.amd64")}${checksumLine(body, "sops-v3.13.3.linux.amd64")}`;
    box.files.set(`${release}/sops-v3.13.3.checksums.txt`, { body: Buffer.from(sums) });
    const path = await find("sops");
    assert.equal(await readFile(path, "utf8"), "sops 3");
    assert.equal((await stat(path)).mode & 0o111, 0o111);
  });

  it("unpacks kubelogin, which comes as a zip", async function () {
    // Where unzip is missing, GNU's tar is no help and Go builds it.
    if (process.platform === "linux" && spawnSync("unzip", ["-v"]).error) this.skip();
    const file = "/Azure/kubelogin/releases/download/v0.2.22/kubelogin-linux-amd64.zip";
    const body = zip({ "bin/linux_amd64/kubelogin": "kubelogin" });
    box.files.set(file, { body });
    box.files.set(`${file}.sha256`, { body: Buffer.from(checksumLine(body, "kubelogin-linux-amd64.zip")) });
    const path = await find("kubelogin");
    assert.equal(path, join(box.cache, "tools/kubelogin-0.2.22-linux-x64/kubelogin"));
    assert.equal(await readFile(path, "utf8"), "kubelogin");
  });

  it("leaves alone the other program that is called kubelogin", async () => {
    await box.program("kubelogin", "echo kubelogin version v1.34.1");
    await box.go();
    assert.equal(await find("kubelogin"), join(box.cache, "tools/kubelogin-0.2.22-linux-x64/kubelogin"));
    const azure = await box.program("kubelogin", "echo kubelogin version; echo git hash: v0.2.12/0123abc");
    assert.equal(await find("kubelogin"), azure);
  });

  it("takes Pulumi's language host out of Pulumi's own download", async () => {
    const body = archive({ "pulumi/pulumi": "engine", "pulumi/pulumi-language-nodejs": "host" });
    box.files.set(PULUMI, { body });
    box.files.set(PULUMI_SUMS, { body: Buffer.from(checksumLine(body, "pulumi-v3.259.0-linux-x64.tar.gz")) });
    assert.equal(await readFile(await find("pulumi-language-nodejs"), "utf8"), "host");
    assert.equal(await readFile(await find("pulumi"), "utf8"), "engine");
    assert.equal(box.requests.length, 2);
  });

  it("takes Pulumi's language host from PATH only beside a fitting Pulumi", async () => {
    await box.go();
    await box.disconnect();
    const host = await box.program("pulumi-language-nodejs", "exit 1");
    assert.equal(
      await find("pulumi-language-nodejs"),
      join(box.cache, "tools/pulumi-3.259.0-linux-x64/pulumi-language-nodejs"),
    );
    await box.program("pulumi", "echo v3.201.0");
    assert.equal(await find("pulumi-language-nodejs"), host);
  });

  it("refuses a download with another checksum, names both and keeps nothing", async () => {
    await box.go();
    const published = publishHelm();
    const changed = archive({ "linux-amd64/helm": "not helm" });
    box.files.set(HELM, { body: changed });
    const [actual] = checksumLine(changed, "").split(" ");
    const [expected] = checksumLine(published, "").split(" ");
    await assert.rejects(find("helm"), (error: Error) => {
      assert.ok(error instanceof ChecksumError);
      assert.ok(error.message.includes(`has the SHA-256 ${actual}`), error.message);
      assert.ok(error.message.includes(`says ${expected}`), error.message);
      return true;
    });
    assert.deepEqual(await box.cached(), []);
    assert.deepEqual(await box.builds(), []);
  });

  const failures: [string, () => void | Promise<void>, RegExp][] = [
    ["is not published", () => undefined, /answers 404 Not Found/],
    [
      "has no published checksum",
      () => void box.files.set(`${HELM}.sha256sum`, { body: Buffer.from("<html>Log in</html>") }),
      /lists no SHA-256 of helm-v4\.2\.4-linux-amd64\.tar\.gz/,
    ],
    ["breaks off", () => void box.files.set(HELM, { body: publishHelm(), cutAt: 10 }), /broke off/],
    ["cannot be reached", () => box.disconnect(), /cannot be reached: ECONNREFUSED/],
  ];
  for (const [what, prepare, reason] of failures) {
    it(`builds with Go when the download ${what}`, async () => {
      await box.go();
      await prepare();
      assert.equal(await readFile(await find("helm"), "utf8"), "made with Go\n");
      assert.match(box.lines[0] ?? "", reason);
      assert.match(box.lines[0] ?? "", /^helm 4\.2\.4: no download \(.*\), building with Go$/);
      assert.match(box.lines[1] ?? "", /^helm 4\.2\.4: built with Go in \d+ s$/);
      assert.deepEqual(await box.cached(), [HELM_CACHED]);
    });
  }

  it("builds the pinned module with its checksums and the release's version in it", async () => {
    await box.go();
    await box.disconnect();
    await find("helm");
    const [build = ""] = await box.builds();
    assert.match(build, /^build -C \/.*\/tools\/go\/helm -mod=readonly /);
    assert.match(build, / -X helm\.sh\/helm\/v4\/internal\/version\.version=v4\.2\.4 /);
    assert.match(build, / helm\.sh\/helm\/v4\/cmd\/helm$/);
  });

  it("tries a host that cannot be reached once in a run", async () => {
    await box.go();
    await box.disconnect();
    await find("helm");
    await find("sops");
    assert.match(
      box.lines[2] ?? "",
      /^sops 3\.13\.3: no download \(http:\/\/127\.0\.0\.1:\d+ cannot be reached: ECONNREFUSED\)/,
    );
  });

  it("repeats Go's words when the build fails, and keeps nothing", async () => {
    await box.go(`echo half > "$folder/helm"; echo "helm.go:1: undefined: foo" >&2; exit 1`);
    await box.disconnect();
    await assert.rejects(
      find("helm"),
      /go build helm\.sh\/helm\/v4\/cmd\/helm failed \(exit code 1\):\n {2}helm\.go:1: undefined: foo/,
    );
    assert.deepEqual(await box.cached(), []);
  });

  it("builds the cluster's tools together and once, under their own names", async () => {
    await box.go("sleep 0.2");
    const [etcd, kwok] = await Promise.all([find("etcd"), find("kwok")]);
    const folder = "tools/cluster-1.36.3-2.9.4-linux-x64";
    assert.deepEqual([etcd, kwok], [join(box.cache, folder, "etcd"), join(box.cache, folder, "kwok")]);
    assert.deepEqual(
      await box.cached(),
      [...CLUSTER_TOOLS].sort().map((name) => join(folder, name)),
    );
    const builds = await box.builds();
    assert.equal(builds.length, 1);
    assert.match(builds[0] ?? "", /^build -C \/.*\/tools\/go\/cluster -mod=readonly /);
    assert.match(builds[0] ?? "", / -X k8s\.io\/component-base\/version\.gitVersion=v1\.36\.3 /);
    const packages = / -o \S+ (.+)$/.exec(builds[0] ?? "")?.[1];
    assert.ok((await box.fetches())[0]?.endsWith(` -mod=readonly -deps ${packages}`), "modules are downloaded before");
    await find("helm-controller");
    assert.equal((await box.builds()).length, 1);
    assert.equal(box.lines.at(-1), "helm-controller 1.6.3: from the cache");
  });

  it("takes none of the cluster's parts from PATH but kubectl", async () => {
    await box.go();
    await box.program("etcd", "echo etcd Version: 3.6.8");
    const kubectl = await box.program("kubectl", "echo Client Version: v1.35.2");
    assert.notEqual(await find("etcd"), join(kubectl, "..", "etcd"));
    assert.equal(await find("kubectl"), kubectl);
  });

  it("downloads kubectl, and takes the built one where it cannot", async () => {
    const url = "/release/v1.36.3/bin/linux/amd64/kubectl";
    const body = Buffer.from("kubectl 1");
    box.files.set(url, { body });
    box.files.set(`${url}.sha256`, { body: Buffer.from(checksumLine(body, "").trim()) });
    assert.equal(await readFile(await find("kubectl"), "utf8"), "kubectl 1");
    await rm(box.cache, { recursive: true });
    await box.go();
    await box.disconnect();
    assert.equal(await find("kubectl"), join(box.cache, "tools/cluster-1.36.3-2.9.4-linux-x64/kubectl"));
  });

  it("says what was tried and what to install when there is no way", async () => {
    await box.disconnect();
    await assert.rejects(find("sops"), (error: Error) => {
      assert.match(
        error.message,
        /^sops was not found\. Tried: PATH \(wanted a version from 3\.9\.0 and below 4\.0\.0\); the cache /,
      );
      assert.match(
        error.message,
        /the official download \(.* cannot be reached: ECONNREFUSED\); a build with Go \(no `go` on PATH\)/,
      );
      assert.match(error.message, /Install sops 3\.13\.3, or Go/);
      return true;
    });
  });

  it("does the work once for callers of one process", async () => {
    publishHelm();
    const paths = await Promise.all([find("helm"), find("helm"), find("helm")]);
    assert.equal(new Set(paths).size, 1);
    assert.equal(box.requests.length, 2);
    assert.equal(box.lines.length, 1);
  });

  it("does the work once for several processes", async () => {
    await box.go("sleep 0.5");
    await box.disconnect();
    const script = `import { findTool } from ${JSON.stringify(new URL("../../tools/findTool.ts", import.meta.url).href)};
      console.log(await findTool("helm", ${JSON.stringify({ env: box.env, hosts: box.hosts, platform: LINUX })}));`;
    const run = async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
      await once(child, "close");
      return output.trim();
    };
    const path = join(box.cache, HELM_CACHED);
    assert.deepEqual(await Promise.all([run(), run(), run()]), [path, path, path]);
    assert.equal((await box.builds()).length, 1);
  });

  it("takes over from a process that died at it", async () => {
    publishHelm();
    const child = spawn("true");
    await once(child, "close");
    const lock = join(box.cache, "locks", "helm.lock");
    await mkdir(join(box.cache, "locks"), { recursive: true });
    await writeFile(lock, JSON.stringify({ host: hostname(), pid: child.pid, id: "x" }));
    assert.equal(await find("helm"), join(box.cache, HELM_CACHED));
    // On a shared cache the process may be another machine's: then only its silence tells.
    await box.go();
    await box.disconnect();
    await writeFile(join(box.cache, "locks", "sops.lock"), JSON.stringify({ host: "elsewhere", pid: 1, id: "y" }));
    const past = new Date(Date.now() - 120_000);
    await utimes(join(box.cache, "locks", "sops.lock"), past, past);
    assert.equal(await find("sops"), join(box.cache, "tools/sops-3.13.3-linux-x64/sops"));
  });
});

describe("cacheFolder", () => {
  it("follows AKS_GITOPS_CACHE, then XDG_CACHE_HOME", () => {
    assert.equal(cacheFolder({ AKS_GITOPS_CACHE: "/a", XDG_CACHE_HOME: "/b" }), "/a");
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/b" }), "/b/aks-gitops");
  });
});
