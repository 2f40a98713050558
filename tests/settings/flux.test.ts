import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "mocha";
import { SettingsError } from "../../settings/settings.ts";
import { fault, faults, read, warnings } from "./faults.ts";

const REPOSITORY = "https://github.com/acme/fleet";
const TOKEN = { "aks-gitops:gitToken": "hunter2" };
const secretKeys = ["aks-gitops:gitToken"];

const flux = (settings: Record<string, unknown>) => ({ "aks-gitops:flux": { repository: REPOSITORY, ...settings } });

describe("settings of Flux", () => {
  it("sign in with a deploy key where the extension brings Flux, with a token where bootstrap does", () => {
    assert.equal(read(flux({ mode: "extension" })).flux.auth, "deployKey");
    assert.equal(read(flux({ mode: "bootstrap" })).flux.auth, "token");
  });

  it("take a deploy key for a bootstrapped Flux, and a token for the extension's", () => {
    assert.equal(read(flux({ mode: "bootstrap", auth: "deployKey" })).flux.auth, "deployKey");
    const { flux: settings, gitToken } = read({ ...flux({ auth: "token" }), ...TOKEN }, { secretKeys });
    assert.deepEqual([settings.auth, gitToken], ["token", "hunter2"]);
  });

  it("take version, image controllers, time to wait, and whether the repository is made, as they are given", () => {
    const given = { version: "2.8.1", imageAutomation: true, readyMinutes: 120, createRepository: true };
    const { version, imageAutomation, readyMinutes, createRepository } = read(flux(given)).flux;
    assert.deepEqual({ version, imageAutomation, readyMinutes, createRepository }, given);
  });

  it("take a sealed token, as the tools do that read a stack file themselves", () => {
    const sealed = { "aks-gitops:gitToken": { secure: "v1:abc" } };
    assert.deepEqual(read({ ...flux({ auth: "token" }), ...sealed }).gitToken, { secure: "v1:abc" });
  });
});

describe("settings of Kustomizations", () => {
  const web = { name: "web", path: "./apps/web" };

  it("are none by default, and have the defaults of each", () => {
    assert.equal(read(flux({})).flux.kustomizations, undefined);
    const defaults = { interval: "10m0s", retryInterval: "1m0s", timeout: "10m0s", prune: true, decryption: true };
    const [only] = read(flux({ kustomizations: [web] })).flux.kustomizations ?? [];
    const given = Object.fromEntries(Object.entries(only ?? {}).filter(([, value]) => value !== undefined));
    assert.deepEqual(given, { ...web, ...defaults, suspend: false, force: false });
  });

  const wrong: [Record<string, unknown>, string, string][] = [
    [{ path: "../web" }, "path", "does not have the right form"],
    [{ path: "/web" }, "path", "does not have the right form"],
    [{ path: "a//b" }, "path", "does not have the right form"],
    [{ path: "." }, "path", "does not have the right form"],
    [{ name: "Web" }, "name", "does not have the right form"],
    [{ interval: "10 minutes" }, "interval", "does not have the right form"],
    [{ deletionPolicy: "Keep" }, "deletionPolicy", "is not a known word"],
    [
      { postBuild: { substitute: { "a-b": "c" } } },
      "postBuild.substitute",
      "has a name that does not have the right form",
    ],
    [{ path: "clusters/test" }, "path", "is clusters/test, which Flux's own Kustomization applies"],
    [{ dependsOn: ["api"] }, "dependsOn", "is no Kustomization of this stack"],
    [{ name: "infrastructure" }, "name", "is the name of the Kustomization of what the program itself writes"],
  ];
  for (const [more, key, problem] of wrong)
    it(`refuse ${JSON.stringify(more)}`, () => {
      const [at, , found] = fault(flux({ kustomizations: [{ ...web, ...more }] }));
      assert.equal(at, `aks-gitops:flux.kustomizations[0].${key}`);
      assert.ok(found?.startsWith(problem), found);
    });

  it("stand in the folder that the cluster reconciles, which is a setting", () => {
    assert.equal(read(flux({})).flux.path, "clusters/test");
    assert.equal(read(flux({ path: "./clusters/production/" })).flux.path, "clusters/production");
    assert.deepEqual(fault(flux({ path: "infrastructure" })), [
      "aks-gitops:flux.path",
      "infrastructure",
      "holds infrastructure/test, which Kustomization infrastructure applies: the same objects would be applied twice",
    ]);
    assert.equal(fault(flux({ path: "../fleet" }))[0], "aks-gitops:flux.path");
  });

  it("name images of aks-gitops:images alone, and nothing beside", () => {
    const mirrored = "ghcr.io/acme/web:1";
    const problem = (image: object, images: string[]) => {
      const kustomizations = [{ ...web, images: [{ name: "web", ...image }] }];
      return faults({ ...flux({ kustomizations }), "aks-gitops:images": images }).map(({ key, problem: found }) => [
        key,
        found,
      ]);
    };
    const key = "aks-gitops:flux.kustomizations[0].images[0].mirrored";
    assert.deepEqual(problem({ mirrored }, []), [
      [key, "is none of aks-gitops:images, so the registry does not have it"],
    ]);
    assert.deepEqual(problem({ mirrored, newTag: "2" }, [mirrored]), [[key, "says name and digest already"]]);
    const kustomizations = [{ ...web, images: [{ name: "web", mirrored }] }];
    const settings = read({ ...flux({ kustomizations }), "aks-gitops:images": [mirrored] });
    assert.equal(settings.flux.kustomizations?.[0]?.images?.[0]?.mirrored, mirrored);
  });

  it("refuse a demo that nothing applies", () => {
    const demo = { "aks-gitops:demo": { image: "ghcr.io/stefanprodan/podinfo:6.14.1" } };
    const [key, , problem] = fault({ ...flux({ kustomizations: [web] }), ...demo });
    assert.deepEqual(
      [key, problem],
      ["aks-gitops:demo", "stands in apps/test, which no Kustomization of the stack applies"],
    );
  });

  it("warn of health checks that nobody looks at", () => {
    const healthChecks = [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", namespace: "web" }];
    assert.match(
      warnings(flux({ kustomizations: [{ ...web, wait: true, healthChecks }] }))[0] ?? "",
      /kustomizations\[0\]\.healthChecks are not looked at: with wait: true/,
    );
  });
});

describe("the extension's configuration", () => {
  it("is of the whole cluster, and has the names that it is given", () => {
    assert.equal(read(flux({})).flux.configuration, undefined);
    assert.deepEqual(
      read(flux({ configuration: { name: "bootstrap", namespace: "cluster-config" } })).flux.configuration,
      {
        ...{ name: "bootstrap", namespace: "cluster-config", scope: "cluster", syncSeconds: 60 },
      },
    );
  });

  it("has others beside it, each with a name and a folder of its own, in a namespace that is not Flux's", () => {
    const team = { name: "team-a", namespace: "team-a", path: "teams/a" };
    const [only] = read(flux({ configurations: [team] })).flux.configurations ?? [];
    assert.deepEqual({ ...only }, { ...team, scope: "namespace", syncSeconds: 60 });
    const found = (...more: object[]) =>
      faults(flux({ configuration: { name: "bootstrap" }, configurations: [team, ...more] })).map(
        ({ key, problem }) => [key.replace("aks-gitops:flux.configurations", ""), problem],
      );
    const twice = ": the same objects would be applied twice";
    assert.deepEqual(found({ ...team, path: "teams/a/" }), [
      ["[1].name", "is the name of another configuration"],
      ["[1].path", `is teams/a, which another one applies${twice}`],
    ]);
    assert.deepEqual(found({ name: "bootstrap", namespace: "flux-system", path: "apps/test" }), [
      ["[1].name", "is the name of the program's own configuration"],
      ["[1].namespace", "belongs to Flux itself"],
      ["[1].path", `is apps/test, which Kustomization apps applies${twice}`],
    ]);
    assert.deepEqual(found({ name: "team-b", namespace: "team-b", path: "teams/a/b" }), []);
    assert.equal(found({ name: "team-b", namespace: "team-b", path: "infrastructure" }).length, 1);
  });

  it("is the extension's alone, as its version is", () => {
    const given = { mode: "bootstrap", configuration: {}, extensionVersion: "1.18.4" };
    assert.deepEqual(
      faults(flux(given)).map(({ key, problem }) => [key, problem]),
      ["configuration", "extensionVersion"].map((key) => [
        `aks-gitops:flux.${key}`,
        "is of the AKS extension, but Flux is bootstrapped",
      ]),
    );
  });

  it("leaves bootstrap's own options to bootstrap", () => {
    const install = { tolerationKeys: ["CriticalAddonsOnly"], logLevel: "debug", networkPolicy: false };
    const given = { install, interval: "5m", recurseSubmodules: true };
    const bootstrapped = read(flux({ mode: "bootstrap", ...given })).flux;
    assert.deepEqual(
      [JSON.parse(JSON.stringify(bootstrapped.install)), bootstrapped.interval, bootstrapped.recurseSubmodules],
      [install, "5m", true],
    );
    assert.deepEqual(
      faults(flux({ mode: "extension", ...given })).map(({ key, problem, remedy }) => [key, problem, remedy]),
      ["install", "interval", "recurseSubmodules"].map((key) => [
        `aks-gitops:flux.${key}`,
        "is of a bootstrapped Flux, but the AKS extension brings it",
        "leave it out, or write mode: bootstrap",
      ]),
    );
    const wrong = { install: { tolerationKeys: ["a b"], clusterDomain: "cluster.local." }, interval: "often" };
    assert.deepEqual(
      faults(flux({ mode: "bootstrap", ...wrong })).map(({ key }) => key),
      ["install.tolerationKeys[0]", "install.clusterDomain", "interval"].map((key) => `aks-gitops:flux.${key}`),
    );
  });

  it("of one namespace has nothing to write elsewhere", () => {
    const given = flux({ configuration: { namespace: "team", scope: "namespace" } });
    const secret = (namespace: string) => ({ "aks-gitops:secrets": [{ name: "a", namespace, data: { b: "c" } }] });
    assert.equal(read({ ...given, ...secret("team") }, { secretKeys: ["aks-gitops:secrets"] }).secrets.length, 1);
    const [found] = faults({ ...given, ...secret("shop") }, { secretKeys: ["aks-gitops:secrets"] });
    assert.deepEqual(
      [found?.key, found?.value, found?.problem],
      [
        "aks-gitops:flux.configuration.scope",
        "namespace",
        "lets Flux write in team alone, but there is something to go into namespace shop",
      ],
    );
  });

  it("stands in no namespace of Kubernetes or AKS", () => {
    const configurations = [{ name: "a", namespace: "azure-arc", path: "a" }];
    assert.deepEqual(
      faults(flux({ configuration: { namespace: "kube-public" }, configurations })).map(({ key }) => key),
      ["configuration.namespace", "configurations[0].namespace"].map((key) => `aks-gitops:flux.${key}`),
    );
  });

  it("has a sign-in that no secret may have the name of", () => {
    const given = flux({ configuration: { name: "bootstrap", namespace: "cluster-config" } });
    const secret = (namespace: string, name: string) => ({
      "aks-gitops:secrets": [{ name, namespace, data: { b: "c" } }],
    });
    const options = { secretKeys: ["aks-gitops:secrets"] };
    const found = faults({ ...given, ...secret("cluster-config", "bootstrap-auth") }, options);
    assert.match(
      found[0]?.problem ?? "",
      /^is the name of the secret cluster-config\/bootstrap-auth, with which Flux signs in/,
    );
    assert.deepEqual(faults({ ...given, ...secret("flux-system", "flux-system-auth") }, options), []);
  });
});

describe("a fault of Flux's settings", () => {
  for (const repository of ["git@github.com:acme/fleet.git", "http://gitlab.com/acme/fleet", "https://github.com/acme"])
    it(`names ${repository} as no repository that can be reached`, () => {
      assert.equal(fault({ "aks-gitops:flux": { repository } })[0], "aks-gitops:flux.repository");
    });

  for (const branch of ["a..b", "/a", "a b", "a.lock", "a/"])
    it(`names ${branch} as no branch`, () => {
      const flux = { repository: "https://github.com/acme/fleet", branch };
      assert.equal(fault({ "aks-gitops:flux": flux })[0], "aks-gitops:flux.branch");
    });

  const wrong: [Record<string, unknown>, string, unknown, string, RegExp][] = [
    [
      { mode: "boostrap" },
      "mode",
      "boostrap",
      "is not a known word",
      /^did you mean bootstrap\? write one of extension, /,
    ],
    [
      { auth: "password" },
      "auth",
      "password",
      "is not a known word",
      /^write one of deployKey, token, sshKey, workloadIdentity, githubApp$/,
    ],
    [{ auth: "deploykey" }, "auth", "deploykey", "is not a known word", /^did you mean deployKey\?/],
    [{ version: "v2.9.4" }, "version", "v2.9.4", "does not have the right form", /without v, for example 2\.9\.4$/],
    [{ version: "2.9" }, "version", "2.9", "does not have the right form", /^write one exact version/],
    [{ version: 2.9 }, "version", 2.9, "is a number where a text is expected", /in quotes/],
    [
      { imageAutomation: "yes" },
      "imageAutomation",
      "yes",
      "is a text where true or false is expected",
      /^write true or /,
    ],
    [{ createRepository: 1 }, "createRepository", 1, "is a number where true or false is expected", /^write true or /],
    [{ readyMinutes: 0 }, "readyMinutes", 0, "is not within the limits", /^write a whole number from 1 to 120/],
    [{ readyMinutes: 121 }, "readyMinutes", 121, "is not within the limits", /^write a whole number from 1 to 120/],
    [{ readyMinutes: 1.5 }, "readyMinutes", 1.5, "is not within the limits", /^write a whole number from 1 to 120/],
    [{ folder: "a" }, "folder", "a", "is not a known key", /^known keys are mode, repository, /],
  ];
  for (const [settings, key, value, problem, remedy] of wrong)
    it(`names ${JSON.stringify(settings)}, and what to write`, () => {
      assert.deepEqual(fault(flux(settings)), [`aks-gitops:flux.${key}`, value, problem]);
      assert.match(faults(flux(settings))[0]?.remedy ?? "", remedy);
    });

  it("names the token that the extension's Flux lacks", () => {
    assert.deepEqual(fault(flux({ auth: "token" })), [
      "aks-gitops:gitToken",
      undefined,
      "is missing: with flux.auth token the extension's Flux signs in to the repository with it",
    ]);
    assert.match(faults(flux({ auth: "token" }))[0]?.remedy ?? "", /pulumi config set --secret aks-gitops:gitToken/);
  });

  it("names a token in plain text, and does not show it", () => {
    const found = faults({ ...flux({ auth: "token" }), ...TOKEN });
    assert.deepEqual(
      found.map(({ key, value, problem }) => [key, value, problem]),
      [["aks-gitops:gitToken", "[secret]", "stands in plain text"]],
    );
    assert.doesNotMatch(new SettingsError("test", found).message, /hunter2/);
  });

  it("names a token that is no text, and does not show it", () => {
    assert.deepEqual(fault({ ...flux({ auth: "token" }), "aks-gitops:gitToken": 4711 }, { secretKeys }).slice(0, 2), [
      "aks-gitops:gitToken",
      "[secret]",
    ]);
  });

  it("names a runner outside that would have to bootstrap through a private API server", () => {
    const config = { ...flux({ mode: "bootstrap" }), "aks-gitops:cluster": { private: true } };
    assert.deepEqual(fault({ ...config, "aks-gitops:runner": "outside" }), [
      "aks-gitops:runner",
      "outside",
      "cannot be outside: flux.mode bootstrap installs Flux through the API server, which is private",
    ]);
    assert.deepEqual(faults({ ...config, "aks-gitops:runner": "inside" }), []);
    const extension = { ...config, ...flux({ mode: "extension" }) };
    assert.deepEqual(faults({ ...extension, "aks-gitops:runner": "outside" }), []);
  });

  it("comes with all the others at once", () => {
    const settings = { mode: "none", version: "2", readyMinutes: 0, auth: "none", createRepository: "" };
    assert.deepEqual(
      faults(flux(settings)).map(({ key }) => key),
      ["mode", "createRepository", "version", "auth", "readyMinutes"].map((key) => `aks-gitops:flux.${key}`),
    );
  });
});

const DEPLOY_KEY =
  "aks-gitops:flux.auth deployKey adds a key to the repository: GITHUB_TOKEN needs the permission Administration: write for " +
  "that, an organisation may forbid deploy keys (new ones do), and GitHub deletes a key with the personal token that made " +
  "it. Run with the token of a GitHub App that has that permission, or write flux.auth: token and let Flux read with a " +
  "token of its own.";

describe("a warning about a deploy key", () => {
  for (const mode of ["extension", "bootstrap"])
    it(`says what it takes and when it ends, with ${mode}`, () => {
      assert.deepEqual(warnings(flux({ mode, auth: "deployKey" })), [DEPLOY_KEY]);
      assert.deepEqual(warnings({ ...flux({ mode: "bootstrap", auth: "token" }) }), []);
    });
});

describe("a warning about the token", () => {
  it("says that nobody uses it, and who signs in with what instead", () => {
    const warned = (settings: Record<string, unknown>) => warnings({ ...flux(settings), ...TOKEN }, { secretKeys });
    assert.deepEqual(warned({ mode: "bootstrap" }), [
      "aks-gitops:gitToken is not used: with flux.mode bootstrap and flux.auth token Flux reads the repository with " +
        "FLUX_GIT_TOKEN, or else GITHUB_TOKEN, of the environment. Remove it: run `pulumi config rm aks-gitops:gitToken`.",
    ]);
    assert.deepEqual(warned({ mode: "extension", auth: "deployKey" }), [
      DEPLOY_KEY,
      "aks-gitops:gitToken is not used: with flux.mode extension and flux.auth deployKey Flux reads the repository with " +
        "a deploy key. Remove it: run `pulumi config rm aks-gitops:gitToken`.",
    ]);
    assert.deepEqual(warned({ mode: "extension", auth: "token" }), []);
  });
});

describe("settings of a repository on another host", () => {
  const keys = ["aks-gitops:gitKey", "aks-gitops:gitToken"];
  const on = (repository: string, more: Record<string, unknown> = {}) => ({
    "github:owner": undefined,
    "aks-gitops:flux": { repository, ...more },
  });

  it("need no owner on GitHub, and sign in with a token over HTTPS", () => {
    const config = { ...on("https://gitlab.com/acme/platform/fleet.git/"), ...TOKEN };
    const { auth, repository, owner, name, username } = read(config, { secretKeys: keys }).flux;
    assert.deepEqual(
      [auth, repository, owner, name],
      [...["token", "https://gitlab.com/acme/platform/fleet.git"], ...[undefined, undefined]],
    );
    assert.equal(username, "git");
  });

  it("name the token that is missing, and propose no deploy key", () => {
    const [found] = faults(on("https://dev.azure.com/acme/platform/_git/fleet"));
    assert.equal(found?.key, "aks-gitops:gitToken");
    assert.doesNotMatch(found?.remedy ?? "", /deployKey/);
  });

  it("refuse what belongs to GitHub alone, with what to do instead", () => {
    const found = faults(on("https://gitlab.com/acme/fleet", { createRepository: true, auth: "deployKey" }));
    assert.deepEqual(
      found.map(({ key, value }) => [key, value]),
      [
        ["aks-gitops:flux.createRepository", true],
        ["aks-gitops:flux.auth", "deployKey"],
      ],
    );
    assert.match(found[0]?.remedy ?? "", /^create https:\/\/gitlab\.com\/acme\/fleet at its host/);
    assert.match(found[1]?.remedy ?? "", /aks-gitops:gitKey, and write sshKey$/);
  });

  it("ask for the host's keys over SSH, with the command that shows them, and for a key", () => {
    const found = faults(on("ssh://git@git.acme.example:2222/fleet"));
    assert.deepEqual(
      found.map(({ key }) => key),
      ["aks-gitops:flux.knownHosts", "aks-gitops:gitKey"],
    );
    assert.match(found[0]?.remedy ?? "", /^run `ssh-keyscan -p 2222 git\.acme\.example`, compare the fingerprints/);
    assert.match(found[1]?.remedy ?? "", /pulumi config set --secret aks-gitops:gitKey/);
  });

  it("take a sealed key, and show none that is wrong", () => {
    const devOps = on("ssh://git@ssh.dev.azure.com/v3/acme/platform/fleet");
    assert.equal(read({ ...devOps, "aks-gitops:gitKey": { secure: "v1:abc" } }).flux.auth, "sshKey");
    const [found] = faults({ ...devOps, "aks-gitops:gitKey": "hunter2" }, { secretKeys: keys });
    assert.deepEqual([found?.key, found?.problem], ["aks-gitops:gitKey", "is no private key in PEM"]);
    assert.doesNotMatch(JSON.stringify(found), /hunter2/);
  });

  it("name a key in plain text, and do not show it", () => {
    const found = faults({ ...on("ssh://git@gitlab.com/acme/fleet"), "aks-gitops:gitKey": "hunter2" });
    assert.deepEqual(
      found.map(({ key, value, problem }) => [key, value, problem]),
      [
        ["aks-gitops:gitKey", "[secret]", "stands in plain text"],
        ["aks-gitops:gitKey", undefined, "is no private key in PEM"],
      ],
    );
  });

  it("say of the extension that it knows no identity for a repository", () => {
    const [found] = faults(on("https://dev.azure.com/acme/platform/_git/fleet", { auth: "workloadIdentity" }));
    assert.equal(found?.key, "aks-gitops:flux.auth");
    assert.match(found?.remedy ?? "", /^write mode: bootstrap/);
  });

  it("warn of a key that nobody uses", () => {
    const unused = warnings({ ...flux({ mode: "bootstrap" }), "aks-gitops:gitKey": "x" }, { secretKeys: keys });
    assert.deepEqual(unused, [
      "aks-gitops:gitKey is not used: Flux signs in by flux.auth token. Remove it: run `pulumi config rm aks-gitops:gitKey`.",
    ]);
  });

  it("name a committer's address that is none, and a credential that is no variable's name", () => {
    const commit = { author: { name: "Fleet", email: "fleet" }, credential: "ghp_0123", signingKey: "a-b" };
    assert.deepEqual(
      faults(flux({ commit })).map(({ key }) => key),
      ["credential", "author.email", "signingKey"].map((key) => `aks-gitops:flux.commit.${key}`),
    );
  });

  it("name a GitHub App that commits where GitHub is not, and an id that is none", () => {
    const told = (repository: string, githubApp: object) =>
      faults(flux({ repository, commit: { githubApp } }))
        .filter(({ key }) => key.startsWith("aks-gitops:flux.commit."))
        .map(({ key, problem }) => `${key} ${problem}`);
    const alone = "aks-gitops:flux.commit.githubApp commits on GitHub alone, over HTTPS, and not";
    assert.deepEqual(told("https://dev.azure.com/acme/platform/_git/fleet", { id: 1 }), [`${alone} at dev.azure.com`]);
    assert.deepEqual(told("ssh://git@github.com/acme/fleet.git", { id: 1 }), [`${alone} over SSH`]);
    assert.deepEqual(told("https://github.acme.example/acme/fleet", { id: 1, installationId: 2 }), []);
    assert.deepEqual(told("https://github.com/acme/fleet", { id: "one" }), [
      "aks-gitops:flux.commit.githubApp.id is a text where a number is expected",
    ]);
  });

  it("take a GitHub App that reads, with its key as a secret, and name what lacks of it", () => {
    const KEY = "aks-gitops:gitKey";
    const asApp = { mode: "bootstrap", auth: "githubApp" };
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = privateKey.export({ type: "pkcs1", format: "pem" }) as string;
    const whole = { ...flux({ ...asApp, githubApp: { id: 123456 } }), [KEY]: key };
    const { flux: settings } = read(whole, { secretKeys: [KEY] });
    assert.deepEqual([settings.auth, settings.githubApp], ["githubApp", { id: 123456, installationId: undefined }]);
    assert.deepEqual(
      warnings(whole, { secretKeys: [KEY] }).filter((warning) => warning.includes("gitKey")),
      [],
    );
    assert.deepEqual(
      faults(flux(asApp)).map(({ key, problem }) => `${key} ${problem}`),
      [
        "aks-gitops:flux.githubApp is missing: with auth githubApp Flux signs in to the repository as it",
        "aks-gitops:gitKey is missing: with auth githubApp Flux signs in to the repository with the App's private key",
      ],
    );
    assert.deepEqual(
      faults({ ...flux({ ...asApp, mode: "extension", githubApp: { id: 1 } }), [KEY]: key }, { secretKeys: [KEY] }).map(
        ({ key, problem, remedy }) => `${key} ${problem}: ${remedy}`,
      ),
      [
        "aks-gitops:flux.auth cannot be said to the extension: its API 2023-05-01 knows no GitHub App: write mode: bootstrap, or write deployKey or token",
      ],
    );
  });

  it("take GitHub Enterprise as GitHub where @pulumi/github is told of it", () => {
    const repository = "https://github.acme.example/platform/fleet";
    const knownHosts =
      "github.acme.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    const enterprise = {
      ...flux({ repository, knownHosts, auth: "deployKey" }),
      ...{ "github:baseUrl": "https://github.acme.example/", "github:owner": "platform" },
    };
    const { githubHost, owner, name } = read(enterprise).flux;
    assert.deepEqual([githubHost, owner, name], ["github.acme.example", "platform", "fleet"]);
    assert.deepEqual(
      faults({ ...enterprise, "github:owner": "acme" }).map(({ key, problem }) => `${key} ${problem}`),
      ["github:owner is not the owner of aks-gitops:flux.repository"],
    );
    assert.deepEqual(
      faults({ ...enterprise, "github:baseUrl": "https://other.example/" }).map(({ key }) => key),
      ["aks-gitops:flux.auth"],
    );
  });

  it("name pull requests where none can be opened, and a wait for none", () => {
    const told = (repository: string, commit: object) =>
      faults(flux({ repository, commit }))
        .filter(({ key }) => key.startsWith("aks-gitops:flux.commit."))
        .map(({ key, problem }) => `${key} ${problem}`);
    const alone = "opens pull requests on GitHub and Azure DevOps alone, with a token over HTTPS, and not";
    assert.deepEqual(told("https://gitlab.com/acme/fleet.git", { pullRequest: "leave" }), [
      `aks-gitops:flux.commit.pullRequest ${alone} at gitlab.com`,
    ]);
    assert.deepEqual(told("ssh://git@ssh.dev.azure.com/v3/acme/platform/fleet", { pullRequest: "wait" }), [
      `aks-gitops:flux.commit.pullRequest ${alone} over SSH`,
    ]);
    assert.deepEqual(told("https://github.com/acme/fleet", { pullRequestMinutes: 5 }), [
      "aks-gitops:flux.commit.pullRequestMinutes says how long a pull request is waited for, and none is",
    ]);
    assert.deepEqual(told("https://github.com/acme/fleet", { pullRequest: "wait", pullRequestMinutes: 5 }), []);
    assert.deepEqual(told("https://git.acme.example/acme/fleet", { pullRequest: "leave" }), []);
  });
});
