// "Building an AKS baseline architecture, part 3: GitOps with Flux2", by settings instead of by hand.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { Rehearsal } from "../support/rehearsal.ts";
import { changesNothing, follows, kubectl, leavesWhatIsPeoples } from "./examples.ts";

const EXAMPLE = "000-aks-baseline";

describe(`the example ${EXAMPLE}`, () => {
  const production = Rehearsal.of(EXAMPLE, "production");

  before(() => production.start());
  after(() => production.end());

  it("has Flux bootstrapped into clusters/production, all its images from the registry", async () => {
    const { faults, registry, repository, images } = production.report();
    assert.deepEqual([faults, repository.path], [[], "clusters/production"]);
    const flux = await kubectl(production, "deployments", "-n", "flux-system");
    const names = flux.map(({ metadata: { name } }) => name);
    assert.deepEqual(names, [
      ...["helm-controller", "kustomize-controller", "notification-controller", "source-controller"],
    ]);
    for (const { spec } of flux)
      assert.ok(spec.template.spec.containers[0].image.startsWith(`${registry.loginServer}/ghcr.io/fluxcd/`));
    for (const name of names)
      assert.ok(
        images.some(({ source, found }) => found && source.startsWith(`ghcr.io/fluxcd/${name}:`)),
        name,
      );
  });

  it("has the Kustomization infrastructure, every ten minutes and with prune", async () => {
    const path = "clusters/production/infrastructure.yaml";
    assert.match(await production.output("git", "show", `origin/main:${path}`), /^ {2}name: infrastructure$/m);
    const [found] = await kubectl(production, "kustomization", "infrastructure", "-n", "flux-system");
    const { interval, path: folder, prune, sourceRef } = found?.spec ?? {};
    assert.deepEqual(
      [interval, folder, prune, sourceRef],
      [...["10m0s", "./infrastructure/production", true, { kind: "GitRepository", name: "flux-system" }]],
    );
  });

  it("pulls charts from the HelmRepository acr-private with flux-helm-acr-credentials", async () => {
    const { loginServer } = production.report().registry;
    const [source] = await kubectl(production, "helmrepository", "acr-private", "-n", "flux-system");
    const { type, url, secretRef } = source?.spec ?? {};
    assert.deepEqual(
      [type, url, secretRef],
      [...["oci", `oci://${loginServer}/charts`, { name: "flux-helm-acr-credentials" }]],
    );
    const [secret] = await kubectl(production, "secret", "flux-helm-acr-credentials", "-n", "flux-system");
    assert.deepEqual([secret?.type, Object.keys(secret?.data).sort()], ["Opaque", ["password", "username"]]);
  });

  it("runs Kured in namespace baseline with its toleration, from the registry", async () => {
    const { registry, helmReleases } = production.report();
    const [release] = await kubectl(production, "helmrelease", "kured", "-n", "flux-system");
    const { releaseName, targetNamespace, install, values, chart } = release?.spec ?? {};
    assert.deepEqual([releaseName, targetNamespace, install.remediation.retries], ["kured", "baseline", 3]);
    assert.deepEqual(values.tolerations, [{ key: "CriticalAddonsOnly", operator: "Exists" }]);
    assert.equal(chart.spec.sourceRef.name, "acr-private");
    assert.deepEqual(
      helmReleases.map(({ name, ready }) => [name, ready]),
      [["kured", true]],
    );
    const [daemonSet] = await kubectl(production, "daemonsets", "-n", "baseline");
    const { containers, tolerations } = daemonSet?.spec.template.spec ?? {};
    assert.ok(containers[0].image.startsWith(`${registry.loginServer}/ghcr.io/kubereboot/kured:`), containers[0].image);
    assert.deepEqual(tolerations, values.tolerations);
  });

  it("runs the application of apps/production in the version of this environment", async () => {
    const { loginServer } = production.report().registry;
    const [deployment] = await kubectl(production, "deployments", "-n", "podinfo");
    const { image } = deployment?.spec.template.spec.containers[0] ?? {};
    assert.equal(deployment?.status.availableReplicas, 3);
    const { images } = production.report();
    const wanted = images.find(({ source }) => source === "ghcr.io/stefanprodan/podinfo:6.14.0");
    assert.equal(image, `${loginServer}/ghcr.io/stefanprodan/podinfo@${wanted?.digest}`);
  });

  it("does what the guide says", () => follows(production, EXAMPLE));

  it("changes nothing with a second up", () => changesNothing(production));

  it("leaves people's files and a vault that can be recovered, and nothing else", () =>
    leavesWhatIsPeoples(production, EXAMPLE));
});
