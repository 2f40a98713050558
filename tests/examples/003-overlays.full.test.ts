// "GitOps with AKS and FluxCD": base and overlays, by settings instead of by hand. Its production cluster differs from this
// one by its settings alone, which a test without a cluster reads.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { Rehearsal } from "../support/rehearsal.ts";
import { changesNothing, follows, kubectl, leavesWhatIsPeoples } from "./examples.ts";

const EXAMPLE = "003-overlays";

describe(`the example ${EXAMPLE}`, () => {
  const prod = Rehearsal.of(EXAMPLE, "prod");

  before(() => prod.start());
  after(() => prod.end());

  it("has clusters/prod-cluster with infra and apps, each an overlay, one after the other", async () => {
    const { faults, kustomizations, repository } = prod.report();
    assert.deepEqual(faults, []);
    assert.equal(repository.path, "clusters/prod-cluster");
    const files = (await prod.output("git", "ls-tree", "-r", "--name-only", "origin/main", "clusters/")).split("\n");
    assert.deepEqual(
      files,
      ["apps", "infra", "infrastructure"].map((name) => `clusters/prod-cluster/${name}.yaml`),
    );
    assert.deepEqual(
      kustomizations.map(({ name, path, dependsOn, ready }) => [name, path, dependsOn, ready]),
      [
        ["apps", "./apps/overlays/prod", ["infra"], true],
        ["flux-system-cluster", "./clusters/prod-cluster", [], true],
        ["infra", "./infrastructure/overlays/prod", ["infrastructure"], true],
        ["infrastructure", "./infrastructure/prod", [], true],
      ],
    );
  });

  it("has an ingress controller and cert-manager before infra, and an issuer of real certificates after them", async () => {
    const { helmReleases } = prod.report();
    assert.deepEqual(
      helmReleases.map(({ name, targetNamespace, revision, ready }) => [
        // Flux puts the beginning of the chart's digest behind its version.
        ...[name, targetNamespace, revision.replace(/\+[0-9a-f]{12}$/, ""), ready],
      ]),
      [
        ["cert-manager", "cert-manager", "1.19.1", true],
        ["traefik", "ingress", "37.3.0", true],
      ],
    );
    const [issuer] = await kubectl(prod, "clusterissuers.cert-manager.io");
    assert.equal(issuer?.spec.acme.server, "https://acme-v02.api.letsencrypt.org/directory");
  });

  it("runs my-app as the overlay says, with the image from the stack's registry", async () => {
    const { loginServer } = prod.report().registry;
    const [deployment, ingress] = await kubectl(prod, "deployment,ingress", "-n", "my-app");
    const [container] = deployment?.spec.template.spec.containers ?? [];
    assert.deepEqual(
      [deployment?.status.availableReplicas, container.env[0].value, container.resources.limits.memory],
      [3, "prod", "192Mi"],
    );
    assert.ok(container.image.startsWith(`${loginServer}/ghcr.io/stefanprodan/podinfo@sha256:`), container.image);
    assert.deepEqual(
      [ingress?.spec.rules[0].host, ingress?.spec.tls[0].hosts],
      ["my-app.example.com", ["my-app.example.com"]],
    );
  });

  it("does what the guide says", () => follows(prod, EXAMPLE));

  it("changes nothing with a second up", () => changesNothing(prod));

  it("leaves people's files and a vault that can be recovered, and nothing else", () =>
    leavesWhatIsPeoples(prod, EXAMPLE));
});
