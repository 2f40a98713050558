import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "mocha";
import { Cluster, type ClusterOptions } from "../../../rehearsal/cluster/cluster.ts";
import { CLUSTER_TIMEOUT, eventually, testCluster } from "../../support/cluster.ts";

const clusterModule = new URL("../../../rehearsal/cluster/cluster.ts", import.meta.url).href;

describe("the processes of the rehearsal's cluster", () => {
  let folder: string;
  let options: ClusterOptions;
  const lines: string[] = [];

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    folder = await mkdtemp(join(tmpdir(), "aks-gitops-processes-"));
    const { tools } = await testCluster();
    options = {
      folder: join(folder, "cluster"),
      tools,
      issuer: "https://issuer.example.com/",
      tenantId: "tenant",
      proxyPort: 1,
      authority: "/dev/null",
      log: (line) => lines.push(line),
    };
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const alive = (pid: number) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };

  it("are six, tell of an end that nobody asked for, and are gone after the stop", async () => {
    const cluster = await Cluster.start(options);
    const { processes } = cluster;
    const names = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "keeper"];
    assert.deepEqual([...processes.keys()], names);
    process.kill(processes.get("kwok") as number, "SIGKILL");
    await eventually(async () => lines[0]);
    assert.match(lines[0] ?? "", /^kwok ended \(signal SIGKILL\)\. The end of .*\/logs\/kwok\.log:\n.*\S/);
    assert.ok([...processes.values()].some(alive));
    await cluster.stop();
    assert.deepEqual([...processes.values()].filter(alive), []);
    assert.equal(lines.length, 1);
  });

  it("are gone after their parent was killed", async () => {
    const script = `import { Cluster } from ${JSON.stringify(clusterModule)};
      const cluster = await Cluster.start(${JSON.stringify(options)});
      console.log(JSON.stringify([...cluster.processes.values()]));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), "line");
    const pids = JSON.parse(line) as number[];
    assert.equal(pids.filter(alive).length, 6);
    parent.kill("SIGKILL");
    await eventually(async () => (pids.some(alive) ? undefined : true));
  });

  it("do not come up where one of them cannot: its log is shown, and nothing is left", async () => {
    const tools = { ...options.tools, etcd: process.execPath };
    await assert.rejects(Cluster.start({ ...options, tools }), (error: Error) => {
      assert.match(
        error.message,
        /^etcd ended \(exit code 9\)\. The end of .*\/etcd\.log:\n.*bad option: --name=rehearsal/s,
      );
      return true;
    });
  });
});
