// The package as a stranger has it: what docs/package.md says is done word for word, with nothing of this repository but
// the packed file, by the real npm and the real engine, against the simulated Azure.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { fileSource, readMirrorList } from "../../mirror/mirrorFile.ts";
import { installProviders } from "../../rehearsal/providers/install.ts";
import { findTool } from "../../tools/findTool.ts";
import { ENGINE_TIMEOUT, type EngineEnvironment, engineEnvironment, ROOT } from "../support/engine.ts";
import { type Azure, startAzure } from "./azure.ts";

const run = promisify(execFile);

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** The code blocks of the guide: files by their names, and commands in their order. */
async function guide(): Promise<{ files: Map<string, string>; commands: string[] }> {
  const text = await readFile(join(ROOT, "docs/package.md"), "utf8");
  const files = new Map<string, string>();
  const commands: string[] = [];
  for (const [, language, file, code = ""] of text.matchAll(/^```(\w+)(?: file=(\S+))?\n(.*?)^```$/gms)) {
    if (file !== undefined) files.set(file, code);
    else if (language === "sh") commands.push(code);
  }
  return { files, commands };
}

describe("the package", () => {
  let engine: EngineEnvironment;
  let azure: Azure;
  let project: string;
  let packed: Packed;
  let env: Record<string, string>;
  let commands: string[];

  before(async function () {
    this.timeout(ENGINE_TIMEOUT + 600_000);
    engine = await engineEnvironment();
    project = join(engine.directory, "platform");
    const written = await guide();
    commands = written.commands;
    await mkdir(project);
    for (const [name, text] of written.files) await writeFile(join(project, name), text);
    azure = await startAzure(engine.directory, await readMirrorList(join(project, "mirror.yaml")));
    await installProviders(engine.env.PULUMI_HOME ?? "");
    const helm = dirname(await findTool("helm"));
    env = { ...engine.env, PATH: `${helm}:${engine.env.PATH}`, PULUMI_SKIP_CONFIRMATIONS: "true" };
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", engine.directory], { cwd: ROOT });
    // Before it npm prints what prepack does.
    packed = (JSON.parse(stdout.slice(stdout.search(/^\[$/m))) as Packed[])[0] as Packed;
  });

  after(async () => {
    await azure?.close();
    await engine?.close();
  });

  /** Runs commands of the guide in the stranger's project. */
  async function does(script: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const options = { cwd: project, env: { ...env, ...more }, maxBuffer: 2 ** 26 };
    return run("bash", ["--norc", "-euc", script], options).then(
      ({ stdout }) => stdout,
      (error: { stdout: string; stderr: string }) => assert.fail(`${script}\n${error.stdout}\n${error.stderr}`),
    );
  }

  it("holds what was built, the plugin's launchers and Go's modules, and nothing else", () => {
    const others = packed.files.map(({ path }) => path).filter((path) => !/^dist\/.*\.(js|d\.ts)$/.test(path));
    const modules = ["cluster", "flux", "helm", "kubelogin", "pulumi", "pulumi-language-nodejs", "sops"];
    assert.deepEqual(
      others.sort(),
      [
        "LICENSE",
        "README.md",
        "package.json",
        "provider/pulumi-resource-gitops",
        "provider/pulumi-resource-gitops.cmd",
        ...modules.flatMap((name) => [`dist/tools/go/${name}/go.mod`, `dist/tools/go/${name}/go.sum`]),
      ].sort(),
    );
    const rooms = new Set(packed.files.map(({ path }) => /^dist\/([^/]+)\//.exec(path)?.[1]));
    rooms.delete(undefined);
    assert.deepEqual([...rooms].sort(), [
      "components",
      "flux",
      "mirror",
      "net",
      "plugin",
      "provider",
      "settings",
      "tools",
    ]);
  });

  it("is installed with the SDKs that it shares with the program", async function () {
    this.timeout(600_000);
    const [install = ""] = commands;
    const tarball = join(engine.directory, packed.filename);
    const own = install.replace("npm install aks-gitops", `npm install --prefer-offline --ignore-scripts ${tarball}`);
    assert.notEqual(own, install);
    await does(own);
    const resolved = await does(
      `node -p '["aks-gitops", "@pulumi/pulumi"].map((name) => require("node:fs").realpathSync(require.resolve(name))).join("\\n")'`,
    );
    assert.deepEqual(resolved.trim().split("\n"), [
      join(project, "node_modules/aks-gitops/dist/components/index.js"),
      join(project, "node_modules/@pulumi/pulumi/index.js"),
    ]);
  });

  it("has types that hold a program to what the components take", async () => {
    const wrong = `import { AksCluster, readMirrorFile } from "aks-gitops";
import { GitCommit } from "aks-gitops/sdk";
// @ts-expect-error: no tier of Azure's
new AksCluster("aks", { resourceGroupName: "group", sku: "Gold" });
// @ts-expect-error: a lock has no such thing
(await readMirrorFile("mirror.yaml")).chart;
// @ts-expect-error: a commit needs a repository
new GitCommit("commit", { branch: "main", message: "First" });
`;
    await writeFile(join(project, "wrong.ts"), wrong);
    const options = "--noEmit --strict --module nodenext --target esnext --skipLibCheck";
    await does(`${join(ROOT, "node_modules/.bin/tsc")} ${options} index.ts wrong.ts`);
  });

  it("makes the lock of a mirror file", async () => {
    await does(commands[1] ?? "", azure.env);
    const lock = JSON.parse(await readFile(fileSource(join(project, "mirror.yaml")).lock, "utf8"));
    const name = ({ name }: { name: string }) => name;
    assert.deepEqual(lock.charts.map(name), ["kured"]);
    assert.deepEqual(
      lock.images.map(({ source }: { source: string }) => source.replace(/:.*/, "")),
      ["ghcr.io/kubereboot/kured", "ghcr.io/stefanprodan/podinfo"],
    );
  });

  it("brings cluster, registry, chart and images up, and takes them away again", async function () {
    this.timeout(600_000);
    await does(commands[2] ?? "", azure.env);
    const outputs = JSON.parse(await does("pulumi stack output --json", azure.env));
    const [cluster] = azure.arm.list("Microsoft.ContainerService/managedClusters");
    assert.equal(cluster?.name, outputs.clusterName);
    assert.equal(cluster?.properties.provisioningState, "Succeeded");
    const [registry] = azure.arm.list("Microsoft.ContainerRegistry/registries");
    assert.ok(registry);
    const store = azure.registries.store(registry);
    const lock = JSON.parse(await readFile(join(project, "mirror.lock.json"), "utf8"));
    const [chart] = lock.charts;
    assert.equal(store.find("charts/kured")?.tags.get(chart.version), chart.manifest);
    for (const { source, repository, tag, digest } of lock.images) {
      assert.equal(store.find(repository)?.tags.get(tag), digest);
      assert.equal(outputs.images[source], `${registry.properties.loginServer}/${repository}@${digest}`);
    }
    assert.deepEqual(Object.keys(outputs.charts), ["kured"]);

    await does("pulumi destroy", azure.env);
    assert.deepEqual(
      azure.arm.all().filter(({ id }) => /\/resourceGroups\//i.test(id)),
      [],
    );
  });

  it("says in the program what to do about a list that its lock does not fit", async () => {
    await writeFile(join(project, "mirror.yaml"), "images: [ghcr.io/acme/other:1]\n");
    await assert.rejects(
      does("pulumi preview", azure.env),
      /mirror\.lock\.json does not fit mirror\.yaml: .*Run: npx aks-gitops-mirror update --file mirror\.yaml/s,
    );
  });
});
