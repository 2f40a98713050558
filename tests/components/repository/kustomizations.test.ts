import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { ownedFiles, seedFiles, sopsRule } from "../../../components/repository/files.ts";
import { clusterFiles, readyNames } from "../../../components/repository/kustomizations.ts";
import {
  clusterDisorder,
  disorders,
  folderOf,
  nestedFolders,
  type Ordered,
} from "../../../components/repository/order.ts";
import { digest } from "../../settings/settingsOf.ts";
import { OPTIONS } from "../flux/fluxOptions.ts";
import { EVERY_PROPERTY } from "./everyProperty.ts";

const OVERLAYS = [
  { name: "infra", path: "./infra/" },
  { name: "apps-dev", path: "apps/kuard/overlays/dev", dependsOn: ["infra"] },
  { name: "apps-prd", path: "apps/kuard/overlays/prd", dependsOn: ["apps-dev"] },
];
const spec = (text: string | undefined) => (parse(text ?? "") as { spec: Record<string, unknown> }).spec;

describe("a stack's own Kustomizations", () => {
  it("take the place of apps, each in a file of its own, after what the program writes unless they say otherwise", () => {
    const files = clusterFiles({ stack: "prod", kustomizations: OVERLAYS });
    const order = Object.entries(files).map(([path, text]) => [path, spec(text).path, spec(text).dependsOn]);
    assert.deepEqual(order, [
      ["clusters/prod/infrastructure.yaml", "./infrastructure/prod", undefined],
      ["clusters/prod/infra.yaml", "./infra", [{ name: "infrastructure" }]],
      ["clusters/prod/apps-dev.yaml", "./apps/kuard/overlays/dev", [{ name: "infra" }]],
      ["clusters/prod/apps-prd.yaml", "./apps/kuard/overlays/prd", [{ name: "apps-dev" }]],
    ]);
  });

  it("run the registry's images by their digests where they name mirrored ones", () => {
    const images = [
      { name: "podinfo", mirrored: "ghcr.io/stefanprodan/podinfo:6.14.1" },
      { name: "web", newTag: "2" },
      { name: "tagged", newName: "{registry}/acme/tagged" },
    ];
    const files = ownedFiles({ ...OPTIONS, demo: undefined, kustomizations: [{ name: "a", path: "a", images }] });
    assert.deepEqual(spec(files["clusters/prod/a.yaml"]).images, [
      { name: "podinfo", newName: "acme.azurecr.io/ghcr.io/stefanprodan/podinfo", digest: digest("e") },
      { name: "web", newTag: "2" },
      // The files' tag stays, whoever writes it.
      { name: "tagged", newName: "acme.azurecr.io/acme/tagged" },
    ]);
  });

  it("belong to the extension's configuration, whose namespace nobody else writes", () => {
    const configuration = { name: "bootstrap", namespace: "cluster-config" };
    const secrets = [{ name: "a", namespace: "cluster-config" }];
    const files = ownedFiles({ ...OPTIONS, secrets, demo: undefined, configuration });
    const { metadata, spec: own } = parse(files["clusters/prod/apps.yaml"] ?? "");
    assert.deepEqual([metadata.namespace, own.sourceRef.name], ["cluster-config", "bootstrap"]);
    for (const path of ["sources/kured.yaml", "releases/kured.yaml"])
      assert.equal(parse(files[`infrastructure/prod/${path}`] ?? "").metadata.namespace, "cluster-config", path);
    assert.equal(files["infrastructure/prod/namespaces.yaml"]?.match(/name: /g)?.length, 1);
    const named = (name: string) => disorders("prod", [{ name, path: "a" }], undefined, "bootstrap").length;
    assert.deepEqual([named("bootstrap-cluster"), named("flux-system-cluster")], [1, 0]);
  });

  it("stand in the cluster's folder, wherever that is", () => {
    const paths = Object.keys(clusterFiles({ stack: "prod", path: "clusters/production", kustomizations: OVERLAYS }));
    assert.deepEqual(paths[1], "clusters/production/infra.yaml");
    assert.ok("clusters/production/apps.yaml" in ownedFiles({ ...OPTIONS, path: "clusters/production" }));
    assert.deepEqual(disorders("prod", [{ name: "a", path: "clusters/prod" }], "clusters/production"), []);
    assert.equal(disorders("prod", [{ name: "a", path: "clusters" }], "clusters/production").length, 1);
  });

  it("wait for nothing where an empty list says so", () => {
    const files = clusterFiles({ stack: "prod", kustomizations: [{ name: "a", path: "a", dependsOn: [] }] });
    assert.equal("dependsOn" in spec(files["clusters/prod/a.yaml"]), false);
  });

  it("say in Flux's words all that they are told", () => {
    const { name, path: _, dependsOn: __, decryption: ___, ...given } = EVERY_PROPERTY;
    const files = clusterFiles({ stack: "prod", kustomizations: [EVERY_PROPERTY] });
    assert.deepEqual(spec(files[`clusters/prod/${name}.yaml`]), {
      ...given,
      path: "./team/web",
      // Flux looks at no health check where it waits for all.
      wait: false,
      sourceRef: { kind: "GitRepository", name: "flux-system" },
      dependsOn: [{ name: "infrastructure" }],
    });
  });

  it("wait for all their objects unless health checks decide", () => {
    const wait = (more: object) => {
      const files = clusterFiles({ stack: "prod", kustomizations: [{ name: "a", path: "a", ...more }] });
      return spec(files["clusters/prod/a.yaml"]).wait;
    };
    const healthChecks = [{ apiVersion: "v1", kind: "Service", name: "a" }];
    assert.deepEqual([wait({}), wait({ healthChecks }), wait({ healthChecks, wait: true })], [true, false, true]);
  });

  it("are waited for by name, but for those that are suspended", () => {
    const kustomizations = [...OVERLAYS, { name: "later", path: "later", suspend: true }];
    assert.deepEqual(readyNames({ stack: "prod", kustomizations }), [
      "infrastructure",
      "infra",
      "apps-dev",
      "apps-prd",
    ]);
    assert.deepEqual(readyNames({ stack: "prod" }), ["infrastructure", "apps"]);
  });

  it("add their paths to the rule of SOPS where they decrypt", () => {
    const kustomizations = [
      { name: "a", path: "./manifests" },
      { name: "b", path: "plain", decryption: false },
      { name: "c", path: "a.b/c" },
    ];
    const { path_regex } = sopsRule({ stack: "prod", kustomizations });
    assert.equal(path_regex, "^(manifests|a\\.b/c|infrastructure/prod)/.*\\.yaml$");
    assert.equal(sopsRule({ stack: "prod" }).path_regex, "^(apps/prod|infrastructure/prod)/.*\\.yaml$");
  });

  it("leave the start of apps/ out where nothing applies it, and give the demo to whichever does", () => {
    assert.deepEqual(seedFiles({ stack: "prod", kustomizations: OVERLAYS }), {});
    const kustomizations = [{ name: "web", path: "./apps/prod/" }];
    assert.ok("apps/prod/kustomization.yaml" in seedFiles({ ...OPTIONS, kustomizations }));
    const web = ownedFiles({ ...OPTIONS, kustomizations })["clusters/prod/web.yaml"];
    assert.match(web ?? "", /patches:\n {4}- target:\n {8}kind: Deployment\n {8}name: demo\n/);
  });
});

describe("Kustomizations that cannot stand beside each other", () => {
  const found = (...all: Ordered[]) => disorders("prod", all).map(({ at, key, problem }) => `${at} ${key} ${problem}`);
  const twice = ": the same objects would be applied twice";

  for (const [name, problem] of [
    ["infrastructure", "is the name of the Kustomization of what the program itself writes"],
    ["flux-system", "is the name of Flux's own Kustomization"],
    ["flux-system-cluster", "is the name of the Kustomization that the extension makes"],
    ["kustomization", "would stand in a file that kustomize takes for its own, kustomization.yaml"],
  ])
    it(`have a name that is taken: ${name}`, () => {
      assert.deepEqual(found({ name: name ?? "", path: "a" }), [`0 name ${problem}`]);
    });

  it("have the name of another one", () => {
    assert.deepEqual(found({ name: "a", path: "a" }, { name: "a", path: "b" }), [
      "1 name is the name of another Kustomization",
    ]);
  });

  for (const [path, problem] of [
    ["clusters/prod", "is clusters/prod, which Flux's own Kustomization applies (namespace flux-system)"],
    ["./clusters", "holds clusters/prod, which Flux's own Kustomization applies (namespace flux-system)"],
    ["infrastructure/prod/x/", "is within infrastructure/prod, which Kustomization infrastructure applies"],
    ["apps/", "is apps, which Kustomization first applies"],
  ])
    it(`have one folder, or one within the other: ${path}`, () => {
      assert.deepEqual(found({ name: "first", path: "apps" }, { name: "a", path: path ?? "" }), [
        `1 path ${problem}${twice}`,
      ]);
    });

  it("have no folder within another one's without a word of the repository's: the commit looks there", () => {
    const all = [
      { name: "a", path: "./apps/" },
      { name: "b", path: "apps/web" },
      { name: "c", path: "apps/web/x" },
      { name: "d", path: "apps2" },
    ];
    assert.deepEqual(found(...all), []);
    assert.deepEqual(nestedFolders(all), { apps: ["apps/web", "apps/web/x"], "apps/web": ["apps/web/x"] });
    assert.deepEqual(nestedFolders([{ path: "apps" }, { path: "web" }, {}]), {});
  });

  it("hold the whole repository", () => {
    assert.deepEqual(found({ name: "a", path: "./" }), [
      `0 path holds clusters/prod, which Flux's own Kustomization applies (namespace flux-system)${twice}`,
    ]);
  });

  it("are no neighbours by the beginning of a name alone", () => {
    assert.deepEqual(found({ name: "a", path: "apps/web" }, { name: "b", path: "apps/web2" }), []);
    assert.deepEqual(found({ name: "a", path: "clusters/production" }), []);
  });

  it("wait for one that is not there", () => {
    assert.deepEqual(found({ name: "a", path: "a", dependsOn: ["infrastructure", "b"] }), [
      "0 dependsOn is no Kustomization of this stack",
    ]);
  });

  it("wait for each other, told once a circle", () => {
    const all = [
      { name: "a", path: "a", dependsOn: ["b"] },
      { name: "b", path: "b", dependsOn: ["infrastructure", "c"] },
      { name: "c", path: "c", dependsOn: ["a"] },
      { name: "d", path: "d", dependsOn: ["d"] },
      { name: "e", path: "e", dependsOn: ["a"] },
    ];
    assert.deepEqual(found(...all), [
      "0 dependsOn goes in a circle: a waits for b waits for c waits for a",
      "3 dependsOn goes in a circle: d waits for d",
    ]);
  });
});

describe("the cluster's folder", () => {
  for (const [path, problem] of [
    ["infrastructure/prod", "is infrastructure/prod"],
    ["./infrastructure/", "holds infrastructure/prod"],
    ["infrastructure/prod/cluster", "is within infrastructure/prod"],
  ])
    it(`is not where the payload is: ${path}`, () => {
      assert.equal(
        clusterDisorder("prod", path ?? "")?.problem,
        `${problem}, which Kustomization infrastructure applies: the same objects would be applied twice`,
      );
    });

  it("is anywhere else", () => {
    for (const path of ["clusters/prod", "infrastructure/prod2", "infrastructure/base", "fleet"])
      assert.equal(clusterDisorder("prod", path), undefined);
  });
});

describe("a folder of the repository", () => {
  it("is the same however it is written", () => {
    assert.deepEqual(["./a/b/", "a/b", ".//a/b//", ".", "./"].map(folderOf), ["a/b", "a/b", "a/b", "", ""]);
  });
});
