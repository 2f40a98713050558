// What `check` says of a stack: nothing where all that is promised is there, and else what is wrong, with a remedy.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { definitionsIn, expectedOf } from "../../../rehearsal/cli/expected.ts";
import { findings } from "../../../rehearsal/cli/findings.ts";
import { DEFINITIONS, factsOf, fullSettings, HEAD, healthy, OLD, object, revision } from "./healthy.ts";

const bootstrap = healthy(fullSettings("bootstrap", { registry: { pullPrincipal: true } }));
const extension = healthy(fullSettings("extension"));
const both = [bootstrap, extension];

/** The first lines of the faults, and whether each of those that are no words of Flux's or ARM's has a remedy. */
const told = (facts: Parameters<typeof findings>[0]) => findings(facts).faults.map((fault) => fault.split("\n")[0]);

const kustomization = (name: string) => ({ kind: "Kustomization", namespace: "flux-system", name });
const gitRepository = { kind: "GitRepository", namespace: "flux-system", name: "flux-system" };

/** All objects, one of them changed or, without a change, gone. */
const changed = (
  { cluster: { objects } }: (typeof both)[0],
  name: string,
  change?: Partial<ReturnType<typeof object>>,
) =>
  objects.flatMap((each) =>
    `${each.kind} ${each.name}` === name ? (change === undefined ? [] : [{ ...each, ...change }]) : [each],
  );

describe("what settings promise", () => {
  it("is, with Flux by bootstrap, what `flux bootstrap` and the stack's folders bring", () => {
    const { source, kustomizations, releases, secrets, deployments, extensions, configurations } = bootstrap.expected;
    assert.deepEqual(source, gitRepository);
    assert.deepEqual(
      kustomizations.map(({ name }) => name),
      ["flux-system", "infrastructure", "apps"],
    );
    assert.deepEqual(
      releases.map(({ kind, name }) => `${kind} ${name}`),
      ["HelmRelease kured", "HelmRepository acr-private", "HelmChart flux-system-kured"],
    );
    assert.deepEqual(secrets, ["flux-system/flux-system", "flux-system/flux-helm-acr-credentials", "demo/credentials"]);
    assert.equal(deployments.length, 4);
    assert.deepEqual([...extensions, ...configurations], []);
  });

  it("is, with Flux by the extension, what Azure names so", () => {
    const { kustomizations, releases, secrets, extensions, configurations } = extension.expected;
    assert.deepEqual(
      kustomizations.map(({ name }) => name),
      ["flux-system-cluster", "infrastructure", "apps"],
    );
    assert.deepEqual(
      releases.map(({ kind, name }) => `${kind} ${name}`),
      ["HelmRelease kured", "OCIRepository kured"],
    );
    assert.deepEqual(secrets, ["flux-system/flux-system-auth", "demo/credentials"]);
    assert.deepEqual([...extensions, ...configurations], ["flux", "flux-system"]);
    // Its identity pulls, whoever else has a password.
    const both = expectedOf(fullSettings("extension", { registry: { pullPrincipal: true } }), []);
    assert.deepEqual(both.releases, releases);
    assert.ok(both.secrets.includes("flux-system/flux-helm-acr-credentials"));
  });

  it("has the image controllers where they are wanted, and no source of charts without any", () => {
    const settings = fullSettings("bootstrap", {
      flux: { repository: "https://github.com/acme/fleet", mode: "bootstrap", imageAutomation: true },
      registry: { pullPrincipal: true },
      charts: [],
    });
    const { deployments, releases } = expectedOf(settings, []);
    assert.deepEqual(deployments.slice(4), ["image-reflector-controller", "image-automation-controller"]);
    assert.deepEqual(releases, []);
  });

  it("is an artifact at the head where the cluster reads one in place of the repository, and no way to that", () => {
    const settings = fullSettings("bootstrap", {
      flux: {
        repository: "https://github.com/acme/fleet",
        mode: "bootstrap",
        artifact: { url: "oci://{registry}/fleet" },
      },
    });
    const stack = healthy(settings);
    const { expected, cluster } = stack;
    assert.deepEqual(expected.source, { ...gitRepository, kind: "OCIRepository" });
    assert.deepEqual(expected.secrets, ["demo/credentials"]);
    const rows = (objects: readonly ReturnType<typeof object>[]) =>
      findings(factsOf(stack, { objects }))
        .looked.filter(({ kind }) => kind === "OCIRepository")
        .map(({ names, right, state }) => [names, right, state]);
    const charts = [["kured"], 1, "Ready"];
    assert.deepEqual(rows(cluster.objects), [[["flux-system"], 0, "Ready at the head"], charts]);
    const atHead = cluster.objects.map((each) =>
      each.kind === "OCIRepository" && each.name === "flux-system" ? { ...each, revision: revision(HEAD) } : each,
    );
    assert.deepEqual(rows(atHead), [[["flux-system"], 1, "Ready at the head"], charts]);
  });

  it("has every kind that Flux's manifests define", () => {
    const manifests = [
      "kind: Namespace\nmetadata:\n  name: flux-system",
      "kind: CustomResourceDefinition\nmetadata:\n  labels:\n    name: no\n  name: buckets.source.toolkit.fluxcd.io\nspec:\n  names: {}",
      "kind: Deployment\nmetadata:\n  name: source-controller",
    ].join("\n---\n");
    assert.deepEqual(definitionsIn(manifests), ["buckets.source.toolkit.fluxcd.io"]);
  });
});

describe("the findings of a stack", () => {
  it("are no fault where everything is there, and count what was looked at", () => {
    for (const stack of both) {
      const { faults, looked } = findings(factsOf(stack));
      assert.deepEqual(faults, []);
      for (const { names, right, kind } of looked) assert.equal(right, names.length, kind);
    }
    assert.deepEqual(
      findings(factsOf(bootstrap)).looked.map(({ kind, right, state }) => [kind, right, state]),
      [
        ["Namespace", 1, "there"],
        ["CustomResourceDefinition", DEFINITIONS.length, "established"],
        ["Deployment", 4, "available"],
        ["Secret", 3, "there"],
        ["GitRepository", 1, "Ready at the head"],
        ["Kustomization", 3, "Ready at the head"],
        ["HelmRelease", 1, "Ready"],
        ["HelmRepository", 1, "Ready"],
        ["HelmChart", 1, "Ready"],
      ],
    );
    assert.deepEqual(
      findings(factsOf(extension))
        .looked.slice(-2)
        .map(({ kind, right, state }) => [kind, right, state]),
      [
        ["extension", 1, "Succeeded in ARM"],
        ["fluxConfiguration", 1, "Compliant in ARM"],
      ],
    );
  });

  it("name each promised thing that is missing, and no two things for one", () => {
    for (const stack of both) {
      const { cluster, expected } = stack;
      const gone: [Parameters<typeof factsOf>[1], string][] = [
        ...expected.deployments.map((name): (typeof gone)[0] => [
          { deployments: cluster.deployments.filter((each) => each.name !== name) },
          `Deployment flux-system/${name} is missing`,
        ]),
        ...DEFINITIONS.map((name): (typeof gone)[0] => [
          { definitions: DEFINITIONS.filter((each) => each !== name) },
          `CustomResourceDefinition ${name} is missing`,
        ]),
        [{ namespaces: ["default"] }, "Namespace flux-system is missing"],
        ...expected.secrets
          .filter((name) => name !== "demo/credentials")
          .map((name): (typeof gone)[0] => [
            { secretNames: expected.secrets.filter((each) => each !== name) },
            `Secret ${name} is missing`,
          ]),
        ...cluster.objects.map((one): (typeof gone)[0] => [
          { objects: cluster.objects.filter((each) => each !== one) },
          `${one.kind} flux-system/${one.name} is missing`,
        ]),
      ];
      for (const [change, fault] of gone) {
        const { faults, looked } = findings(factsOf(stack, change));
        assert.deepEqual(
          faults.map((each) => each.split("\n")[0]),
          [fault],
        );
        assert.match(faults[0] ?? "", /\nremedy: run `npm run rehearse -- /);
        const [kind] = fault.split(" ");
        const row = looked.find((each) => each.kind === kind);
        assert.equal(row?.right, (row?.names.length ?? 0) - 1);
      }
    }
  });

  it("name a secret of the settings that neither Git nor the cluster has, once", () => {
    const without = { secretNames: bootstrap.expected.secrets.slice(0, 2), secrets: [] };
    assert.deepEqual(told(factsOf(bootstrap, without, { inGit: [] })), ["Secret demo/credentials is missing"]);
    assert.deepEqual(told(factsOf(bootstrap, without)), [
      "Secret demo/credentials of infrastructure/test/secrets/a.yaml is not in the cluster",
    ]);
  });

  it("name a controller without pods, also where it shall have none", () => {
    const deployments = bootstrap.cluster.deployments.map((each) =>
      each.name === "source-controller"
        ? { ...each, available: 0 }
        : each.name === "helm-controller"
          ? { ...each, wanted: 0, available: 0 }
          : each,
    );
    assert.deepEqual(told(factsOf(bootstrap, { deployments })), [
      "Deployment flux-system/source-controller has 0 of 1 pods available",
      "Deployment flux-system/helm-controller has 0 of 1 pods available",
    ]);
  });

  it("name what was missing when the look began, and only that", () => {
    const earlier = (objects: (typeof bootstrap.cluster)["objects"]) => ({
      ...bootstrap.inspection,
      cluster: { ...bootstrap.cluster, objects },
    });
    const [fault, ...others] = findings(
      factsOf(bootstrap, {}, { before: earlier(changed(bootstrap, "Kustomization apps")) }),
    ).faults;
    assert.match(
      fault ?? "",
      /^Kustomization flux-system\/apps was missing when the check began; Flux has made it again since, from Kustomization flux-system\nremedy: /,
    );
    assert.deepEqual(others, []);
    // A chart that came with the newest commit.
    const older = bootstrap.cluster.objects
      .filter(({ kind }) => kind !== "HelmRelease")
      .map((each) => (each.kind === "Kustomization" ? { ...each, revision: revision(OLD) } : each));
    assert.deepEqual(findings(factsOf(bootstrap, {}, { before: earlier(older) })).faults, []);
  });

  it("name who is behind the branch's head, with both commits", () => {
    const behind = { revision: revision(OLD) };
    const [old, head] = [`main@sha1:${OLD.slice(0, 12)}`, HEAD.slice(0, 12)];
    for (const stack of both)
      for (const { name } of stack.expected.kustomizations)
        assert.deepEqual(told(factsOf(stack, { objects: changed(stack, `Kustomization ${name}`, behind) })), [
          `Kustomization flux-system/${name} has applied ${old}, not the branch's head ${head}`,
        ]);
    assert.deepEqual(told(factsOf(bootstrap, { objects: changed(bootstrap, "GitRepository flux-system", behind) })), [
      `GitRepository flux-system/flux-system has fetched ${old}, not the branch's head ${head}`,
    ]);
    const newer = factsOf(
      bootstrap,
      { objects: changed(bootstrap, "Kustomization apps", { revision: revision("c".repeat(40)) }) },
      { atHead: new Set([revision(HEAD), revision("c".repeat(40))]) },
    );
    assert.deepEqual(told(newer), []);
  });

  it("name what is suspended, and how it goes on", () => {
    const suspended = (name: string) =>
      findings(factsOf(bootstrap, { objects: changed(bootstrap, name, { suspended: true }) })).faults;
    assert.deepEqual(suspended("Kustomization apps"), [
      "Kustomization flux-system/apps is suspended\nremedy: run `npm run rehearse -- exec -- flux resume kustomization apps`",
    ]);
    assert.match(suspended("GitRepository flux-system")[0] ?? "", /flux resume source git flux-system`$/);
    assert.match(suspended("HelmRelease kured")[0] ?? "", /flux resume helmrelease kured`$/);
    assert.match(suspended("HelmRepository acr-private")[0] ?? "", /flux resume source helm acr-private`$/);
    // Somebody's own object may rest.
    const own = object(kustomization("tenants"), { suspended: true });
    assert.deepEqual(told(factsOf(bootstrap, { objects: [...bootstrap.cluster.objects, own] })), []);
  });

  it("name a broken commit in Flux's words, with the commit that runs and the one that should", () => {
    const failed = { ready: false, reason: "BuildFailed", message: "no such file ", revision: revision(OLD) };
    const objects = changed(bootstrap, "Kustomization apps", failed);
    const fault =
      `Kustomization flux-system/apps is not Ready: BuildFailed: no such file; it has applied main@sha1:${OLD.slice(0, 12)}, ` +
      `not the branch's head ${HEAD.slice(0, 12)}`;
    assert.deepEqual(told(factsOf(bootstrap, { objects })), [fault]);
    const again = changed(bootstrap, "Kustomization apps", {
      ...failed,
      ...{ isBusy: true, reason: "Progressing", message: "Reconciliation in progress" },
    });
    const failures = new Map([["Kustomization flux-system/apps", "BuildFailed: no such file"]]);
    assert.deepEqual(told(factsOf(bootstrap, { objects: again }, { failures })), [fault]);
  });

  it("name a controller that does not answer", () => {
    const objects = changed(bootstrap, "Kustomization apps", { isAsked: true, isBusy: true });
    assert.deepEqual(told(factsOf(bootstrap, { objects })), [
      "Kustomization flux-system/apps was asked to reconcile and has not looked since",
    ]);
  });

  it("judge no revision where there is no head", () => {
    const behind = { objects: changed(bootstrap, "Kustomization apps", { revision: revision(OLD) }) };
    const { faults, looked } = findings(factsOf(bootstrap, behind, { head: undefined }));
    assert.deepEqual(faults, []);
    assert.equal(looked.find(({ kind }) => kind === "Kustomization")?.right, 0, "nor call any right");
  });

  it("say in one line that there is no cluster, that it does not answer, or that it has no Flux", () => {
    const without = (found: object) => {
      const { cluster: _, ...rest } = bootstrap.inspection;
      return told({ ...factsOf(bootstrap), inspection: { ...rest, ...found }, inGit: [] });
    };
    assert.deepEqual(without({}), ["there is no cluster"]);
    assert.deepEqual(without({ clusterProblem: "connect ECONNREFUSED" }), [
      "the cluster does not answer: connect ECONNREFUSED",
    ]);
    const bare = {
      namespaces: ["default"],
      deployments: [],
      definitions: [],
      secretNames: [],
      objects: [],
      secrets: [],
    };
    assert.deepEqual(told(factsOf(bootstrap, bare, { inGit: [] })), [
      "Flux is not in the cluster: it has neither the namespace flux-system nor any kind of Flux's",
    ]);
  });

  describe("of the extension", () => {
    const [configuration] = extension.inspection.configurations;
    assert.ok(configuration);
    const arm = (change: object) => told(factsOf(extension, {}, { found: change }));

    it("name what ARM has not got, or calls failed", () => {
      assert.deepEqual(arm({ extensions: [] }), ["extension flux is missing in ARM"]);
      assert.deepEqual(arm({ configurations: [] }), ["fluxConfiguration flux-system is missing in ARM"]);
      assert.deepEqual(arm({ extensions: [{ name: "flux", provisioningState: "Failed" }] }), [
        "extension flux is Failed in ARM",
      ]);
      assert.deepEqual(arm({ configurations: [{ ...configuration, complianceState: "Non-Compliant" }] }), [
        "fluxConfiguration flux-system is Non-Compliant in ARM",
      ]);
    });

    it("name where ARM and the cluster disagree", () => {
      assert.deepEqual(arm({ configurations: [{ ...configuration, revision: revision(OLD) }] }), [
        `fluxConfiguration flux-system has main@sha1:${OLD.slice(0, 12)} in ARM, not the branch's head ${HEAD.slice(0, 12)}`,
      ]);
      const statuses = (configuration.statuses ?? [])
        .filter(({ name }) => name !== "infrastructure")
        .map((status) => (status.name === "apps" ? { ...status, complianceState: "Pending" } : status));
      assert.deepEqual(arm({ configurations: [{ ...configuration, statuses }] }), [
        "ARM says nothing of Kustomization flux-system/infrastructure, which is in the cluster",
        "ARM calls Kustomization flux-system/apps Pending, while it is Ready in the cluster",
      ]);
    });
  });
});
