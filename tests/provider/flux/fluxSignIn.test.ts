import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { KubernetesApi, ObjectRef } from "../../../net/kubernetesApi.ts";
import { type Context, type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import { machine } from "../../../provider/flux/fluxCluster.ts";
import { fluxInstallIn } from "../../../provider/flux/fluxInstall.ts";
import { chosenSignIn } from "../../../provider/flux/fluxSignIn.ts";

const URL = "https://github.com/acme/fleet";
const SSH = "ssh://git@github.com/acme/fleet";
const KEY = { privateKey: "PRIVATE", publicKey: "ecdsa AAAA\n", knownHosts: "github.com ecdsa BBBB\n" };
const INPUTS: Properties = {
  clusterId: "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks",
  endpoint: "https://aks.example:443",
  certificateAuthority: "QVVUSE9SSVRZ",
  version: "2.9.4",
  manifests: "f".repeat(64),
  imageAutomation: false,
  loginServer: "acme.azurecr.io",
  clientId: "client",
  tenantId: "tenant",
  url: URL,
  branch: "main",
  path: "clusters/test",
  readyMinutes: 15,
};
const context = { signal: new AbortController().signal, log: () => {} } as unknown as Context;

/** Where nobody can sign in, so that no cluster is looked at. */
const token = () => Promise.reject(new Error("az login first"));
const install = (environment: Record<string, string> = {}) => fluxInstallIn({ ...machine, token, environment });
const faultsOf = async (inputs: Properties) =>
  (await install().check?.({ ...INPUTS, ...inputs }, undefined, context, new Uint8Array()))?.failures;
const changesOf = async (old: Properties, next: Properties, environment: Record<string, string> = {}) => {
  const state = { ...INPUTS, ...old, tokenFingerprint: undefined };
  const existing = { id: "id", inputs: { ...INPUTS, ...old }, state };
  return Object.keys((await install(environment).diff?.(existing, { ...INPUTS, ...next }, context))?.detailed ?? {});
};

/** A cluster with these objects, by kind; it is only read. */
const cluster = (objects: Record<string, object> = {}) =>
  ({ get: async ({ kind }: ObjectRef) => objects[kind] }) as unknown as KubernetesApi;

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("how a bootstrapped Flux signs in", () => {
  it("is not at all where it reads an artifact, beside which nothing says how", async () => {
    const artifact = { url: "oci://acme.azurecr.io/fleet", tag: "latest", provider: "azure" };
    assert.deepEqual(await faultsOf({ artifact, url: SSH }), []);
    const reason = "signs in to the repository, and an artifact is read in place of it: leave one out";
    assert.deepEqual(await faultsOf({ artifact, url: SSH, sshKey: KEY }), [
      { property: "", reason: `sshKey ${reason}` },
    ]);
    assert.deepEqual(await chosenSignIn({}, cluster(), { url: URL, artifact }), { secret: undefined, state: {} });
    const environment = { FLUX_GIT_TOKEN: "hush" };
    assert.equal((await changesOf({ artifact }, { artifact }, environment)).includes("tokenFingerprint"), false);
  });

  it("is with a token for https and with a key for ssh", async () => {
    assert.deepEqual(await faultsOf({}), []);
    assert.deepEqual(await faultsOf({ url: SSH, sshKey: KEY }), []);
    assert.deepEqual(await faultsOf({ url: SSH }), [
      {
        property: "",
        reason: `sshKey is missing: ${SSH} is read with a key. Give one, or write the URL with https://`,
      },
    ]);
    assert.deepEqual(await faultsOf({ sshKey: KEY }), [
      {
        property: "",
        reason: `sshKey is for ssh://, but ${URL} is read with a token. Leave it out, or write the URL with ssh://git@`,
      },
    ]);
  });

  it("has no fault yet where the key is not known before an update", async () => {
    assert.deepEqual(await faultsOf({ url: SSH, sshKey: UNKNOWN }), []);
    assert.deepEqual(await faultsOf({ url: SSH, sshKey: { ...KEY, privateKey: UNKNOWN } }), []);
    assert.deepEqual(await faultsOf({ url: UNKNOWN, sshKey: KEY }), []);
  });

  it("needs each part of the key, and tells none of them", async () => {
    const faulty = { privateKey: "PRIVATE", publicKey: "", extra: "PRIVATE" };
    const reasons = (await faultsOf({ url: SSH, sshKey: faulty }))?.map(({ reason }) => reason);
    assert.deepEqual(reasons, ["sshKey lacks publicKey, knownHosts: a key needs each of them, as texts"]);
    const more = await faultsOf({ url: SSH, sshKey: { ...KEY, extra: "PRIVATE" } });
    assert.deepEqual(
      more?.map(({ reason }) => reason),
      ["sshKey holds extra; a key has privateKey, publicKey, knownHosts alone"],
    );
  });

  for (const url of [
    "git@github.com:acme/fleet",
    "http://github.com/a/b",
    "https://token@github.com/a/b",
    "ssh://host/a",
  ])
    it(`is not by ${url}`, async () => {
      const [fault] = (await faultsOf({ url })) ?? [];
      assert.deepEqual(fault, {
        property: "",
        reason:
          "url is no repository's URL without a password: " +
          "https://<host>/<owner>/<name> or ssh://git@<host>/<owner>/<name>",
      });
    });

  it("with a key is the Secret that bootstrap makes, whatever tokens there are", async () => {
    const { secret, state } = await chosenSignIn({ FLUX_GIT_TOKEN: "token" }, cluster(), { url: SSH, sshKey: KEY });
    assert.deepEqual(secret, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "flux-system", namespace: "flux-system" },
      data: {
        identity: Buffer.from("PRIVATE").toString("base64"),
        "identity.pub": Buffer.from(KEY.publicKey).toString("base64"),
        known_hosts: Buffer.from(KEY.knownHosts).toString("base64"),
      },
    });
    assert.deepEqual(state, {});
  });

  it("with a token is the Secret that bootstrap makes, and a fingerprint in the state", async () => {
    const { secret, state } = await chosenSignIn({ GITHUB_TOKEN: "token" }, cluster(), { url: URL });
    assert.deepEqual((secret as unknown as { data: object }).data, {
      username: Buffer.from("git").toString("base64"),
      password: Buffer.from("token").toString("base64"),
    });
    assert.deepEqual(Object.keys(state), ["tokenFingerprint"]);
  });

  it("leaves the cluster's token alone where Flux reads the same repository with it", async () => {
    const ready = { type: "Ready", status: "True" };
    const source = {
      metadata: { generation: 1 },
      spec: { url: URL },
      status: { observedGeneration: 1, conditions: [ready] },
    };
    const data = { password: Buffer.from("working").toString("base64") };
    const { secret } = await chosenSignIn(
      { GITHUB_TOKEN: "other" },
      cluster({ GitRepository: source, Secret: { data } }),
      {
        url: URL,
      },
    );
    assert.equal(secret, undefined);
  });

  it("changes with another key, and from token to key and back", async () => {
    assert.deepEqual(await changesOf({ url: SSH, sshKey: KEY }, { url: SSH, sshKey: KEY }), []);
    const other = { ...KEY, privateKey: "OTHER" };
    assert.deepEqual(await changesOf({ url: SSH, sshKey: KEY }, { url: SSH, sshKey: other }), ["sshKey.privateKey"]);
    assert.deepEqual((await changesOf({}, { url: SSH, sshKey: KEY })).sort(), ["sshKey", "url"]);
    assert.deepEqual((await changesOf({ url: SSH, sshKey: KEY }, {})).sort(), ["sshKey", "url"]);
  });

  it("with a key does not change with a token of the environment", async () => {
    const key = { url: SSH, sshKey: KEY };
    assert.deepEqual(await changesOf(key, key, { FLUX_GIT_TOKEN: "token" }), []);
    assert.deepEqual(await changesOf({}, {}, { FLUX_GIT_TOKEN: "token" }), ["tokenFingerprint"]);
  });

  it("has the user name that a host wants beside a token, also beside one that stays", async () => {
    const ready = { type: "Ready", status: "True" };
    const source = {
      metadata: { generation: 1 },
      spec: { url: URL },
      status: { observedGeneration: 1, conditions: [ready] },
    };
    const data = { username: base64("git"), password: base64("working") };
    const chosen = async (username: string) =>
      (await chosenSignIn({}, cluster({ GitRepository: source, Secret: { data } }), { url: URL, username }))
        .secret as unknown;
    assert.deepEqual(((await chosen("x-token-auth")) as { data: object }).data, {
      username: base64("x-token-auth"),
      password: base64("working"),
    });
    assert.equal(await chosen("git"), undefined);
  });

  it("gives GITHUB_TOKEN to no other host", async () => {
    const chosen = chosenSignIn({ GITHUB_TOKEN: "token" }, cluster(), { url: "https://gitlab.com/acme/fleet.git" });
    await assert.rejects(chosen, {
      message:
        "Flux needs a token that reads https://gitlab.com/acme/fleet.git: set FLUX_GIT_TOKEN (for Flux alone, best read-only)",
    });
  });

  const DEVOPS = "https://dev.azure.com/acme/platform/_git/fleet";
  it("as the controllers' identity needs no Secret, and no token is looked at", async () => {
    const signIn = await chosenSignIn({ FLUX_GIT_TOKEN: "token" }, cluster(), { url: DEVOPS, provider: "azure" });
    assert.deepEqual(signIn, { secret: undefined, state: {} });
    const as = { url: DEVOPS, provider: "azure" };
    assert.deepEqual(await changesOf(as, as, { FLUX_GIT_TOKEN: "token" }), []);
  });

  it("as the controllers' identity is for Azure DevOps over HTTPS alone", async () => {
    assert.deepEqual(await faultsOf({ url: DEVOPS, provider: "azure" }), []);
    for (const wrong of [{ url: URL }, { url: SSH, sshKey: KEY }])
      assert.match(
        (await faultsOf({ ...wrong, provider: "azure" }))?.[0]?.reason ?? "",
        /^signs in to https:\/\/dev\.azure\.com alone/,
      );
  });

  const APP = { id: "123456", installation: "7", privateKey: "PEM" };
  it("as a GitHub App is told to Flux by its own Secret, and no token is looked at", async () => {
    const textsOf = async (url: string, githubApp: typeof APP) => {
      const as = { url, provider: "github", githubApp } as const;
      const { secret, state } = await chosenSignIn({ FLUX_GIT_TOKEN: "token" }, cluster(), as);
      assert.deepEqual(state, {});
      const { data } = secret as unknown as { data: Record<string, string> };
      return Object.fromEntries(
        Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64").toString()]),
      );
    };
    assert.deepEqual(await textsOf(URL, APP), {
      ...{ githubAppID: "123456", githubAppInstallationID: "7", githubAppPrivateKey: "PEM" },
    });
    assert.deepEqual(await textsOf("https://github.acme.example/acme/fleet.git", { ...APP, installation: "acme" }), {
      ...{ githubAppID: "123456", githubAppInstallationOwner: "acme", githubAppPrivateKey: "PEM" },
      githubAppBaseURL: "https://github.acme.example/api/v3",
    });
    const as = { provider: "github", githubApp: APP };
    assert.deepEqual(await changesOf(as, as, { FLUX_GIT_TOKEN: "token" }), []);
    const renewed = { ...as, githubApp: { ...APP, privateKey: "NEW" } };
    assert.deepEqual(await changesOf(as, renewed), ["githubApp.privateKey"]);
  });

  it("as a GitHub App is for HTTPS, with the App and the provider together", async () => {
    assert.deepEqual(await faultsOf({ provider: "github", githubApp: APP }), []);
    const reason = async (inputs: Properties) => (await faultsOf(inputs))?.[0]?.reason ?? "";
    for (const half of [{ provider: "github" }, { githubApp: APP }])
      assert.match(await reason(half), /^(githubApp )?belongs to provider github, and that to it/);
    assert.match(
      await reason({ url: SSH, sshKey: KEY, provider: "github", githubApp: APP }),
      /^signs in to GitHub over HTTPS, without a key of SSH, and not to ssh:/,
    );
    assert.match(await reason({ provider: "github", githubApp: { ...APP, privateKey: "" } }), /lacks privateKey/);
  });
});
