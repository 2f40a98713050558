// The whole of dev: Flux by its own bootstrap, in a real control plane, judged by the real flux CLI.
import { strict as assert } from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, describe, it } from "mocha";
import { parse } from "yaml";
import type { Ran } from "../../../rehearsal/run.ts";
import { devRehearsal } from "../../support/devRehearsal.ts";
import { checkout, type Rehearsal } from "../../support/rehearsal.ts";
import { assertNoSecretStands, demoPassword } from "../../support/secrets.ts";

interface Listed {
  readonly items: readonly {
    readonly kind: string;
    readonly metadata: { readonly namespace?: string; readonly name: string; readonly generation?: number };
    // biome-ignore lint/suspicious/noExplicitAny: differs by kind
    readonly [key: string]: any;
  }[];
}

describe("the rehearsal of dev", () => {
  let dev: Rehearsal;
  let started: Ran;

  before(async () => {
    ({ dev, started } = await devRehearsal());
  });

  const kubectl = async (...args: string[]) => JSON.parse(await dev.output("kubectl", ...args, "-o", "json")) as Listed;
  const log = async () => (await dev.output("git", "log", "--format=%s", "origin/main")).split("\n");
  const preview = () => dev.succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");

  /** Every object of the cluster but for what changes by itself. */
  async function objects(): Promise<Map<string, unknown>> {
    const kinds = (await dev.output("kubectl", "api-resources", "--verbs=list", "-o", "name"))
      .split("\n")
      .filter((kind) => !/^(events|leases|endpoints|endpointslices|componentstatuses)\b/.test(kind));
    const { items } = await kubectl("get", kinds.join(), "--all-namespaces");
    return new Map(
      items.map(({ kind, metadata, status: _, ...rest }) => {
        // A request to look again stands in the annotations, and each write in managedFields.
        const { generation, name, namespace = "" } = metadata;
        return [`${kind} ${namespace}/${name}`, { generation, ...rest }];
      }),
    );
  }

  it("ends with everything Ready, and says so", () => {
    const { kustomizations, helmReleases, sources, podImages, faults, repository } = dev.report();
    assert.deepEqual(faults, []);
    assert.doesNotMatch(started.stdout, /FAULT|MISSING|NOT/);
    assert.deepEqual(
      kustomizations.map(({ name, dependsOn, ready, revision }) => [name, dependsOn, ready, revision]),
      [
        ["apps", ["infrastructure"]],
        ["flux-system", []],
        ["infrastructure", []],
      ].map((one) => [...one, true, `main@sha1:${repository.commit}`]),
    );
    assert.deepEqual(
      helmReleases.map(({ name, targetNamespace, chart, ready, revision }) => [
        ...[name, targetNamespace, chart, ready, revision],
      ]),
      [["kured", "baseline", "kured", true, "6.1.0"]],
    );
    assert.deepEqual(
      sources.map(({ kind, name, ready }) => [kind, name, ready]),
      [
        ["GitRepository", "flux-system", true],
        ["HelmChart", "flux-system-kured", true],
        ["HelmRepository", "acr-private", true],
      ],
    );
    const { loginServer } = dev.report().registry;
    assert.equal(podImages.length, 6);
    for (const { image, found } of podImages) {
      assert.ok(image.startsWith(`${loginServer}/ghcr.io/`), image);
      assert.ok(found, image);
    }
  });

  it("passes flux check, with every object of Flux Ready", async () => {
    const check = await dev.succeeds("exec", "--", "flux", "check");
    assert.match(check.stderr, /✔ all checks passed/);
    const listed = (await dev.output("flux", "get", "all", "--all-namespaces", "--no-header")).split("\n");
    const rows = listed.filter((line) => /^flux-system\s/.test(line));
    assert.equal(rows.length, 7);
    for (const row of rows) assert.match(row, /\bFalse\s+True\b/);
  });

  it("leaves nothing to do for the real flux bootstrap", async () => {
    const { registry, repository } = dev.report();
    const [before, commits] = [await objects(), await log()];
    const words = ["flux", "bootstrap", "git", `--url=${repository.url}`, `--branch=${repository.branch}`];
    const rest = [`--path=${repository.path}`, `--registry=${registry.loginServer}/ghcr.io/fluxcd`, "--token-auth"];
    const command = [...words, ...rest, "--username=git"].join(" ");
    await dev.output("bash", "--norc", "-euc", `GIT_PASSWORD=$GITHUB_TOKEN ${command}`);
    assert.deepEqual(await log(), commits);
    const now = await objects();
    assert.deepEqual([...now.keys()], [...before.keys()]);
    assert.deepEqual(now, before);
  });

  it("has no object in the inventories of two Kustomizations", async () => {
    const { items } = await kubectl("get", "kustomizations.kustomize.toolkit.fluxcd.io", "-A");
    const ids = items.flatMap(({ status }) => status.inventory.entries.map(({ id }: { id: string }) => id));
    assert.ok(ids.length > 40);
    assert.deepEqual([...new Set(ids)].sort(), [...ids].sort());
  });

  it("gives the controllers of the cluster the identity that the program made", async () => {
    const file = join(dev.folder, "repository/clusters/dev/flux-system/workload-identity/kustomization.yaml");
    const [{ patch }] = parse(readFileSync(file, "utf8")).patches;
    const identity = parse(patch).metadata.annotations["azure.workload.identity/client-id"];
    assert.match(identity, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const { items } = await kubectl("get", "serviceaccounts", "-n", "flux-system");
    const known = items.filter(({ metadata }) => /^(source|kustomize)-controller$/.test(metadata.name));
    assert.deepEqual(
      known.map(({ metadata }) => (metadata as { annotations?: Record<string, string> }).annotations),
      known.map(() => ({
        "azure.workload.identity/client-id": identity,
        "azure.workload.identity/tenant-id": parse(patch).metadata.annotations["azure.workload.identity/tenant-id"],
      })),
    );
  });

  it("pulls charts with the secret of the pull principal", async () => {
    const { items } = await kubectl("get", "helmrepositories,secrets", "-n", "flux-system");
    const find = (kind: string, name: string) => items.find((one) => one.kind === kind && one.metadata.name === name);
    assert.equal(find("HelmRepository", "acr-private")?.spec.type, "oci");
    assert.deepEqual(find("HelmRepository", "acr-private")?.spec.secretRef, { name: "flux-helm-acr-credentials" });
    assert.deepEqual(Object.keys(find("Secret", "flux-helm-acr-credentials")?.data).sort(), ["password", "username"]);
  });

  it("has the secret's plain value in the cluster and nowhere else", async () => {
    const password = await demoPassword(dev);
    const { items } = await kubectl("get", "secrets", "-n", "demo");
    const [secret] = items.filter(({ metadata }) => metadata.name === "demo-credentials");
    assert.equal(Buffer.from(secret?.data.password, "base64").toString(), password);
    await assertNoSecretStands(dev, started);
  });

  it("sent Azure Resource Manager nothing that Microsoft's published types refuse", async function () {
    const validator = resolve(checkout, "../shared/arm/validate.mjs");
    if (!existsSync(validator)) this.skip(); // the published types are not part of this repository
    const sent = join(dev.folder, "arm-requests.jsonl");
    assert.match(await dev.output(process.execPath, validator, sent), /, 0 faults$/m);
  });

  it("previews no change when Flux has reconciled again", async () => {
    for (const name of ["flux-system", "infrastructure", "apps"])
      await dev.output("flux", "reconcile", "kustomization", name);
    await dev.output("flux", "reconcile", "helmrelease", "kured");
    const { stdout } = await dev.succeeds("pulumi", "refresh", "--yes", "--expect-no-changes", "--non-interactive");
    assert.doesNotMatch(stdout, /[~+-]\s+\d+ (updated|created|deleted)/);
    await preview();
  });

  it("brings a new commit all the way into the cluster", async () => {
    const commits = await log();
    await dev.succeeds("pulumi", "config", "set", "--path", "aks-gitops:demo.replicas", "2");
    await dev.succeeds("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    assert.equal((await log()).length, commits.length + 1);
    const [demo] = (await kubectl("get", "deployments", "-n", "demo")).items;
    assert.equal(demo?.status.availableReplicas, 2);
  });

  it("takes what somebody commits and pushes by hand into the cluster, and out again", async () => {
    const note = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "by-hand", namespace: "demo" } };
    const notes = async () =>
      (await kubectl("get", "configmaps", "-n", "demo")).items.filter(({ metadata }) => metadata.name === "by-hand");
    const reconcile = () => dev.output("flux", "reconcile", "kustomization", "apps", "--with-source");
    const files = `echo '${JSON.stringify(note)}' > by-hand.yaml; echo '  - by-hand.yaml' >> kustomization.yaml`;
    await dev.output(
      "bash",
      "--norc",
      "-euc",
      `cd apps/dev; ${files}; git add .; git commit -qm "Add a note"; git push -q`,
    );
    await reconcile();
    assert.equal((await notes()).length, 1);
    await dev.output("bash", "--norc", "-euc", "git pull -q; git revert --no-edit HEAD; git push -q");
    await reconcile();
    assert.equal((await notes()).length, 0);
  });

  it("takes Flux out of the cluster and leaves what Flux brought there", async () => {
    const install = ["--target", "**gitops:index:FluxInstall::flux", "--target-dependents"];
    await dev.succeeds("pulumi", "destroy", ...install, "--yes", "--skip-preview", "--non-interactive");
    const { items } = await kubectl("get", "namespaces,customresourcedefinitions,deployments,daemonsets", "-A");
    const left = items.map(({ kind, metadata: { namespace, name } }) =>
      [kind, namespace, name].filter(Boolean).join(" "),
    );
    const own = left.filter((name) => !/^Namespace (default|kube-)/.test(name));
    assert.deepEqual(own.sort(), [
      "DaemonSet baseline kured",
      "Deployment demo demo",
      "Namespace baseline",
      "Namespace demo",
    ]);
    for (const { kind, status } of items) if (kind === "Namespace") assert.equal(status.phase, "Active");
  });

  it("leaves nothing after destroy", async () => {
    await dev.succeeds("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive");
    const state = JSON.parse((await dev.succeeds("pulumi", "stack", "export")).stdout);
    assert.equal(state.deployment.resources?.length ?? 0, 0);
    const { resources, softDeletedVaults, cluster } = await dev.inspection();
    assert.deepEqual([resources, softDeletedVaults.length, cluster], [[], 1, undefined]);
  });
});
