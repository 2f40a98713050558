import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import { ownedFiles, seedFiles, sopsRule } from "../../../components/repository/files.ts";
import { type Source, type SourceOptions, sourceDisorders } from "../../../components/repository/sources.ts";
import { OPTIONS } from "../flux/fluxOptions.ts";
import { SOURCES } from "./everyProperty.ts";

const parsed = (text = "") => parseAllDocuments(text).map((document) => document.toJS());
const filesOf = (sources: readonly Source[], more = {}) => ownedFiles({ ...OPTIONS, sources, ...more });

describe("further sources", () => {
  it("stand beside those of charts, in Flux's words", () => {
    const files = filesOf(SOURCES);
    const specs = SOURCES.map(({ name, kind }) => {
      const [object] = parsed(files[`infrastructure/prod/sources/${name}.yaml`]);
      assert.deepEqual([object.apiVersion, object.kind], ["source.toolkit.fluxcd.io/v1", kind]);
      assert.deepEqual(object.metadata, { name, namespace: "flux-system" });
      return object.spec;
    });
    const interval = "5m0s";
    assert.deepEqual(specs, [
      {
        ...{
          interval,
          url: "ssh://git@git.acme.example:2222/shop.git",
          ref: { branch: "main", commit: "a".repeat(40) },
        },
        secretRef: { name: "shop-git" },
      },
      {
        ...{ interval: "1m0s", provider: "azure", url: "https://dev.azure.com/acme/platform/_git/web" },
        ref: { semver: ">=1.0.0 <2.0.0" },
      },
      {
        ...{ interval, url: "oci://ghcr.io/acme/manifests", ref: { tag: "v1", digest: `sha256:${"b".repeat(64)}` } },
        ...{ secretRef: { name: "ghcr" }, verify: { provider: "cosign", secretRef: { name: "cosign" } } },
      },
      { interval, provider: "azure", endpoint: "https://acme.blob.core.windows.net", bucketName: "manifests" },
    ]);
    const [list] = parsed(files["infrastructure/prod/kustomization.yaml"]);
    assert.ok(SOURCES.every(({ name }) => list.resources.includes(`sources/${name}.yaml`)));
  });

  it("are where Kustomizations come from that name them, at a folder or at their root", () => {
    const kustomizations = [
      { name: "shop", path: ".", source: "shop" },
      { name: "data", path: "deploy", source: "data" },
      { name: "apps", path: "apps/prod" },
    ];
    const files = filesOf(SOURCES, { kustomizations });
    const specs = kustomizations.map(({ name }) => parsed(files[`clusters/prod/${name}.yaml`])[0].spec);
    assert.deepEqual(
      specs.map(({ sourceRef, path }) => [sourceRef, path]),
      [
        [{ kind: "GitRepository", name: "shop" }, "./"],
        [{ kind: "Bucket", name: "data" }, "./deploy"],
        [{ kind: "GitRepository", name: "flux-system" }, "./apps/prod"],
      ],
    );
  });

  it("have folders of their own: the repository's rules, seeds and decrypted folders are others", () => {
    const kustomizations = [{ name: "apps", path: "apps/prod", source: "shop" }];
    const options = { stack: "prod", demo: undefined, kustomizations };
    assert.deepEqual(seedFiles(options), {});
    assert.equal(sopsRule(options).path_regex, "^(infrastructure/prod)/.*\\.yaml$");
  });
});

describe("a further source that cannot be", () => {
  const git = { name: "shop", kind: "GitRepository", url: "https://git.acme.example/shop", branch: "main" } as const;
  const oci = { name: "shop", kind: "OCIRepository", url: "oci://ghcr.io/acme/shop", tag: "v1" } as const;
  const bucket = {
    ...({ name: "shop", kind: "Bucket", url: "https://acme.blob.core.windows.net" } as const),
    ...({ bucketName: "shop", provider: "azure" } as const),
  };
  const secrets = [{ name: "shop-git", namespace: "flux-system" }];
  const found = (...sources: SourceOptions[]) =>
    sourceDisorders(sources, { charts: [{ name: "kured" }], secrets }).map(
      ({ at, key, problem }) => `${at} ${key} ${problem}`,
    );

  it("is none of these", () => {
    assert.deepEqual(
      found(git, { ...oci, name: "a" }, { ...bucket, name: "b" }, { ...git, name: "c", secret: "shop-git" }),
      [],
    );
  });

  const wrong: [string, SourceOptions, string][] = [
    ["has the repository's name", { ...git, name: "flux-system" }, "name is the name of the repository's own source"],
    [
      "has a chart's name",
      { ...oci, name: "kured" },
      "name is the name of a chart's release, whose source is called the same",
    ],
    [
      "has a credential in it",
      { ...git, url: "https://u:hunter2@git.acme.example/shop" },
      "url holds a user name or a credential",
    ],
    ["names two branches of a kind", { ...git, tag: "v1" }, "branch stands beside another word on what is taken"],
    ["names none", { ...git, branch: undefined }, "branch is missing, and so are tag, semver and commit"],
    [
      "signs in to another host as Azure's identity",
      { ...git, provider: "azure" },
      "provider signs in to Azure DevOps alone, over HTTPS",
    ],
    [
      "has no key for SSH",
      { ...git, url: "ssh://git@git.acme.example/shop" },
      "secret is missing: over SSH nobody reads without a key",
    ],
    [
      "names a secret that the stack lacks",
      { ...git, secret: "other" },
      "secret is no secret of namespace flux-system that the stack has",
    ],
    ["has another kind's property", { ...git, digest: "sha256:00" }, "digest is nothing that a GitRepository has"],
    ["is no OCI address", { ...oci, url: "oci://ghcr.io/acme/shop:v1" }, "url is no address of an OCI artifact"],
    ["names no version of an artifact", { ...oci, tag: undefined }, "tag is missing, and so are semver and digest"],
    [
      "signs in to another registry as Azure's identity",
      { ...oci, provider: "azure" },
      "provider signs in to a registry of Azure alone",
    ],
    [
      "verifies with a secret that the stack lacks",
      { ...oci, verify: "cosign" },
      "verify is no secret of namespace flux-system that the stack has",
    ],
    [
      "is no storage account",
      { ...bucket, url: "https://s3.amazonaws.com" },
      "url is no endpoint of a storage account",
    ],
    ["names no container", { ...bucket, bucketName: undefined }, "bucketName is missing"],
    [
      "is a bucket of another cloud",
      { ...bucket, provider: undefined },
      "provider is missing: a Bucket is one of Azure's here",
    ],
    [
      "signs in in two ways",
      { ...oci, url: "oci://acme.azurecr.io/shop", provider: "azure", secret: "shop-git" },
      "secret signs in beside the controllers' identity",
    ],
  ];
  for (const [what, source, problem] of wrong)
    it(what, () => {
      assert.deepEqual(found(source), [`0 ${problem}`]);
      assert.doesNotMatch(JSON.stringify(sourceDisorders([source], { charts: [], secrets: undefined })), /hunter2/);
    });

  it("has the name of another one", () => {
    assert.deepEqual(found(git, oci), ["1 name is the name of another source"]);
  });

  it("is not told to lack a secret where the secrets are not to be read", () => {
    assert.deepEqual(sourceDisorders([{ ...git, secret: "other" }], { charts: [], secrets: undefined }), []);
  });
});
