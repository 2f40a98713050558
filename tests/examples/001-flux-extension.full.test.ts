// "Deep Dive: GitOps with Flux v2 in Microsoft Azure Kubernetes Service (AKS)", by settings instead of by hand.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { Rehearsal } from "../support/rehearsal.ts";
import { askedFor, changesNothing, follows, kubectl, leavesWhatIsPeoples } from "./examples.ts";

const EXAMPLE = "001-flux-extension";
/** What a team commits. */
const TEAMS_FILE = "teams/a/motd.yaml";

describe(`the example ${EXAMPLE}`, () => {
  const aks01 = Rehearsal.of(EXAMPLE, "aks01");

  before(() => aks01.start());
  after(() => aks01.end());

  it("has the configuration bootstrap of the whole cluster, in namespace cluster-config, and is Compliant", async () => {
    const { namespace, scope, kustomizations, gitRepository } = askedFor(aks01, /fluxConfigurations\/bootstrap\?/);
    assert.deepEqual([namespace, scope], ["cluster-config", "cluster"]);
    assert.deepEqual(
      [gitRepository.url, gitRepository.syncIntervalInSeconds, gitRepository.httpsUser],
      [...["https://github.com/acme/flux2-aks-apps", 120, "git"]],
    );
    assert.deepEqual(Object.keys(kustomizations), ["cluster"]);
    const [configuration] = (await aks01.inspection()).configurations;
    assert.deepEqual([configuration?.name, configuration?.complianceState], ["bootstrap", "Compliant"]);
  });

  it("applies infra, then apps-dev, then apps-prd, every 120 seconds and with prune", async () => {
    const { faults } = aks01.report();
    assert.deepEqual(faults, []);
    const found = await kubectl(aks01, "kustomizations.kustomize.toolkit.fluxcd.io", "-n", "cluster-config");
    const own = found.filter(({ metadata: { name } }) => /^(infra|apps-dev|apps-prd)$/.test(name));
    const known = own.map(({ metadata: { name }, spec }) => [
      name,
      spec.path,
      spec.dependsOn,
      spec.interval,
      spec.prune,
    ]);
    assert.deepEqual(known, [
      ["apps-dev", "./apps/kuard/overlays/dev", [{ name: "infra" }], "120s", true],
      ["apps-prd", "./apps/kuard/overlays/prd", [{ name: "apps-dev" }], "120s", true],
      ["infra", "./infra", undefined, "120s", true],
    ]);
    const readySince = (name: string) => {
      const status = own.find((each) => each.metadata.name === name)?.status;
      const { lastTransitionTime, status: ready } = status.conditions.find(
        ({ type }: { type: string }) => type === "Ready",
      );
      assert.equal(ready, "True", name);
      return lastTransitionTime as string;
    };
    const times = ["infra", "apps-dev", "apps-prd"].map(readySince);
    assert.deepEqual(times, [...times].sort());
  });

  it("runs Prometheus in monitoring, kuard once in dev and five times in production, from the stack's registry", async () => {
    const { loginServer } = aks01.report().registry;
    const found = await kubectl(
      aks01,
      "deployments",
      "-A",
      "-l",
      "kustomize.toolkit.fluxcd.io/namespace=cluster-config",
    );
    const known = found.map(({ metadata: { namespace, name }, spec, status }) => {
      const [{ image }] = spec.template.spec.containers;
      return [
        `${namespace}/${name}`,
        spec.replicas,
        status.availableReplicas,
        image.replace(/@sha256:[0-9a-f]{64}$/, "@"),
      ];
    });
    assert.deepEqual(known, [
      ["kuard/kuard-dev", 1, 1, `${loginServer}/gcr.io/kuar-demo/kuard-amd64@`],
      ["kuard/kuard-prd", 5, 5, `${loginServer}/gcr.io/kuar-demo/kuard-amd64@`],
      ["monitoring/prometheus", 1, 1, `${loginServer}/quay.io/prometheus/prometheus@`],
    ]);
    const ingresses = await kubectl(aks01, "ingresses", "-n", "kuard");
    assert.deepEqual(
      ingresses.map(({ metadata: { name }, spec }) => [name, spec.rules[0].host]),
      [
        ["kuard-dev", "kuard-dev.example.com"],
        ["kuard-prd", "kuard.example.com"],
      ],
    );
  });

  it("has nothing in the inventories of two Kustomizations", async () => {
    const found = await kubectl(aks01, "kustomizations.kustomize.toolkit.fluxcd.io", "-A");
    const ids = found.flatMap(({ status }) => (status.inventory?.entries ?? []).map(({ id }: { id: string }) => id));
    assert.ok(ids.length > 15);
    assert.deepEqual([...new Set(ids)].sort(), [...ids].sort());
  });

  it("does what the guide says", () => follows(aks01, EXAMPLE));

  it("keeps the extension's version and gives a team a configuration of its own, as the guide says", async () => {
    const people = `git pull -q && mkdir -p teams/a && kubectl create configmap motd -n team-a --from-literal=says=hello \\
      --dry-run=client -o yaml > ${TEAMS_FILE} && git add . && git commit -qm "Begin team a" && git push -q`;
    await aks01.output("bash", "--norc", "-euc", people);
    const settings = {
      ...{ extensionVersion: "1.18.4", "configurations[0].name": "team-a" },
      ...{ "configurations[0].namespace": "team-a", "configurations[0].path": "teams/a" },
    };
    for (const [key, value] of Object.entries(settings))
      await aks01.succeeds("pulumi", "config", "set", "--path", `aks-gitops:flux.${key}`, value);
    await aks01.succeeds("pulumi", "up", "--yes", "--non-interactive", "--suppress-progress");
    const { version, autoUpgradeMinorVersion } = askedFor(aks01, /extensions\/flux\?/);
    assert.deepEqual([version, autoUpgradeMinorVersion], ["1.18.4", false]);
    const { scope, namespace } = askedFor(aks01, /fluxConfigurations\/team-a\?/);
    assert.deepEqual([scope, namespace], ["namespace", "team-a"]);
    // An update waits for nothing that a team has.
    await aks01.output("kubectl", "wait", "configmap/motd", "-n", "team-a", "--for=create", "--timeout=90s");
    const [motd] = await kubectl(aks01, "configmap", "motd", "-n", "team-a");
    assert.deepEqual(motd?.data, { says: "hello" });
  });

  it("changes nothing with a second up", () => changesNothing(aks01));

  it("leaves people's files and a vault that can be recovered, and nothing else", () =>
    leavesWhatIsPeoples(aks01, EXAMPLE, [TEAMS_FILE]));
});
