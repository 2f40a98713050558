// "A practical example of GitOps using Azure DevOps, ...": a cluster that is not AKS, by settings instead of by hand.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { Rehearsal } from "../support/rehearsal.ts";
import { changesNothing, follows, kubectl, leavesWhatIsPeoples } from "./examples.ts";

const EXAMPLE = "004-azure-devops";
const SECRET = "acr-gitdevops";

describe(`the example ${EXAMPLE}`, () => {
  const premises = Rehearsal.of(EXAMPLE, "on-premises");

  before(() => premises.start());
  after(() => premises.end());

  const releases = async () =>
    (await kubectl(premises, "helmreleases.helm.toolkit.fluxcd.io", "-n", "flux-system")).map(
      ({ metadata, spec, status }) => [
        ...[metadata.name, spec.chart.spec.chart, spec.chart.spec.version, spec.targetNamespace],
        status.history[0].chartVersion,
      ],
    );

  it("makes registry and vault, and nothing of AKS", async () => {
    assert.deepEqual(premises.report().faults, []);
    const { resources } = await premises.inspection();
    const types = new Set(resources.map(({ type }) => type.split("/")[0]));
    assert.deepEqual([...types].sort(), [
      "Microsoft.Authorization",
      "Microsoft.ContainerRegistry",
      "Microsoft.KeyVault",
      "Microsoft.Resources",
    ]);
    assert.equal(premises.report().registry.loginServer, "acrgitopsdev.azurecr.io");
  });

  it("releases appa at 158.0.0 and appb at 164.0.0 from the registry", async () => {
    assert.deepEqual(await releases(), [
      ["appa", "appawebapi", "158.0.0", "appa", "158.0.0"],
      ["appb", "appbwebapi", "164.0.0", "appb", "164.0.0"],
    ]);
    const sources = await kubectl(premises, "helmrepositories.source.toolkit.fluxcd.io", "-n", "flux-system");
    for (const { spec } of sources)
      assert.deepEqual(
        [spec.type, spec.url, spec.secretRef],
        ["oci", "oci://acrgitopsdev.azurecr.io/helm", { name: "flux-helm-acr-credentials" }],
      );
  });

  it("pulls every image with a Secret: pods name it, or their account does", async () => {
    for (const namespace of ["appa", "appb", "flux-system"]) {
      const [secret] = await kubectl(premises, "secret", SECRET, "-n", namespace);
      assert.equal(secret?.type, "kubernetes.io/dockerconfigjson");
      const pods = await kubectl(premises, "pods", "-n", namespace);
      assert.ok(pods.length > 0);
      for (const { spec } of pods) assert.deepEqual(spec.imagePullSecrets, [{ name: SECRET }]);
    }
    const [account] = await kubectl(premises, "serviceaccount", "default", "-n", "appa");
    assert.deepEqual(account?.imagePullSecrets, [{ name: SECRET }]);
    assert.ok(premises.report().podImages.every(({ found }) => found));
  });

  it("decrypts with the principal's password, which is in neither Git nor state in the clear", async () => {
    const kustomizations = await kubectl(premises, "kustomizations.kustomize.toolkit.fluxcd.io", "-n", "flux-system");
    for (const { metadata, spec } of kustomizations)
      if (metadata.name !== "flux-system") assert.deepEqual(spec.decryption.secretRef, { name: "sops-azure-kv" });
    const [secret] = await kubectl(premises, "secret", "sops-azure-kv", "-n", "flux-system");
    const text = Buffer.from(String(secret?.data["sops.azure-kv"]), "base64").toString();
    const [, password = ""] = /^clientSecret: (.+)$/m.exec(text) ?? [];
    assert.ok(password.length > 10);
    const { stdout: state } = await premises.succeeds("pulumi", "stack", "export");
    assert.ok(!state.includes(password));
    await assert.rejects(premises.output("git", "grep", "--quiet", "--fixed-strings", password, "origin/main"));
  });

  it("goes on to 160.0.0 when the setting says so", async () => {
    const config = ["config", "set", "--path"];
    await premises.succeeds("pulumi", ...config, "aks-gitops:charts[0].version", "160.0.0");
    await premises.succeeds("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    assert.deepEqual((await releases())[0], ["appa", "appawebapi", "160.0.0", "appa", "160.0.0"]);
  });

  it("does what the guide says", () => follows(premises, EXAMPLE));

  it("changes nothing with a second up", () => changesNothing(premises));

  it("leaves people's files, the cluster and a vault that can be recovered, and nothing else", async () => {
    await leavesWhatIsPeoples(premises, EXAMPLE, ["apps/on-premises/kustomization.yaml"]);
    const namespaces = (await kubectl(premises, "namespaces")).map(({ metadata }) => metadata.name);
    assert.ok(namespaces.includes("kube-system") && !namespaces.includes("flux-system"), namespaces.join());
  });
});
