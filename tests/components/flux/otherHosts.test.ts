// A repository that is not on GitHub, or that is read with a key of a person's, in both modes.
import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "mocha";
import { FluxBootstrap } from "../../../components/flux/fluxBootstrap.ts";
import type { FluxBootstrapArgs } from "../../../components/flux/fluxBootstrapArgs.ts";
import { signInDisorders } from "../../../components/flux/signIn.ts";
import { gotkSync } from "../../../flux/bootstrap.ts";
import { publishedKeys } from "../../../net/knownHosts.ts";
import { publicKeyOf } from "../../../net/sshKey.ts";
import { refused } from "../refused.ts";
import { deployFlux, filesOf, fluxArgs } from "./fluxDeployment.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const RSA = rsa.privateKey.export({ type: "pkcs1", format: "pem" }) as string;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const EC = ec.privateKey.export({ type: "sec1", format: "pem" }) as string;

const HTTPS = "https://git.acme.example/platform/fleet.git";
const SSH = "ssh://git@git.acme.example:2222/platform/fleet.git";
const KNOWN_HOSTS =
  "[git.acme.example]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
const DEVOPS = "https://dev.azure.com/acme/platform/_git/fleet";
const DEVOPS_SSH = "ssh://git@ssh.dev.azure.com/v3/acme/platform/fleet";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const faults = (args: Partial<FluxBootstrapArgs>) =>
  refused(() => new FluxBootstrap("flux", { ...fluxArgs(), ...args }));

describe("a bootstrapped Flux", () => {
  it("reads any host over HTTPS with a token, at the address as it was written", async () => {
    const { find } = await deployFlux({ mode: "bootstrap", repository: HTTPS });
    const { inputs } = find("FluxInstall", "flux");
    assert.deepEqual([inputs.url, inputs.sshKey, inputs.username], [HTTPS, undefined, undefined]);
    const { url, access } = find("GitCommit", "flux").inputs;
    assert.deepEqual([url, access], [HTTPS, undefined]);
    const sync = gotkSync({ url: HTTPS, branch: "main", path: "clusters/test" });
    assert.equal(filesOf(find("GitCommit", "flux"))["clusters/test/flux-system/gotk-sync.yaml"], sync);
  });

  it("takes the user name that a host wants beside its token", async () => {
    const { find } = await deployFlux({ mode: "bootstrap", repository: HTTPS, username: "x-token-auth" });
    assert.equal(find("FluxInstall", "flux").inputs.username, "x-token-auth");
  });

  it("reads any host over SSH with the key that a person registered, and knows the host", async () => {
    const { find } = await deployFlux({ mode: "bootstrap", repository: SSH, gitKey: RSA, knownHosts: KNOWN_HOSTS });
    const { inputs } = find("FluxInstall", "flux");
    assert.equal(inputs.url, SSH);
    assert.deepEqual(inputs.sshKey, { privateKey: RSA, publicKey: publicKeyOf(RSA).line, knownHosts: KNOWN_HOSTS });
    const access = { knownHosts: KNOWN_HOSTS };
    assert.deepEqual(find("GitCommit", "flux").inputs.access, access);
    assert.deepEqual(find("KeyInUse", "flux").inputs.access, access);
  });

  it("reads Azure DevOps over SSH while the program commits over HTTPS", async () => {
    const { find } = await deployFlux({ mode: "bootstrap", repository: DEVOPS, auth: "sshKey", gitKey: RSA });
    const { url, sshKey } = find("FluxInstall", "flux").inputs as { url: string; sshKey: { knownHosts: string } };
    assert.deepEqual([url, sshKey.knownHosts], [DEVOPS_SSH, publishedKeys("ssh.dev.azure.com")]);
    const commit = find("GitCommit", "flux").inputs;
    assert.deepEqual([commit.url, commit.access], [DEVOPS, undefined]);
  });

  it("reads Azure DevOps as its controllers' identity, by a patch of what bootstrap writes", async () => {
    const { find } = await deployFlux({ mode: "bootstrap", repository: DEVOPS, auth: "workloadIdentity" });
    assert.equal(find("FluxInstall", "flux").inputs.provider, "azure");
    const files = filesOf(find("GitCommit", "flux"));
    const sync = gotkSync({ url: DEVOPS, branch: "main", path: "clusters/test" });
    assert.equal(files["clusters/test/flux-system/gotk-sync.yaml"], sync);
    assert.match(
      files["clusters/test/flux-system/workload-identity/kustomization.yaml"] ?? "",
      /target:\n {4}kind: GitRepository\n {4}name: flux-system\n {2}patch: \|\n {4}- op: remove\n {6}path: \/spec\/secretRef\n {4}- op: add\n {6}path: \/spec\/provider\n {6}value: azure\n$/,
    );
  });
});

describe("GitHub Enterprise", () => {
  const githubHost = "github.acme.example";
  const repository = `https://${githubHost}/platform/fleet`;
  const knownHosts = `${githubHost} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl`;
  const enterprise = { repository, githubHost, knownHosts, auth: "deployKey" } as const;
  const SSH_URL = `ssh://git@${githubHost}/platform/fleet`;

  it("gets a deploy key, by which the extension's Flux reads, and knows the host", async () => {
    const { find } = await deployFlux(enterprise);
    assert.equal(find("RepositoryDeployKey", "flux").inputs.repository, "fleet");
    const { gitRepository } = find("FluxConfiguration", "flux").inputs as { gitRepository: Record<string, unknown> };
    assert.deepEqual([gitRepository.url, gitRepository.sshKnownHosts], [SSH_URL, base64(knownHosts)]);
    const commit = find("GitCommit", "flux").inputs;
    assert.deepEqual([commit.url, commit.access], [repository, undefined]);
  });

  it("gets one for a bootstrapped Flux too, whose address stands in Git", async () => {
    const { find } = await deployFlux({ ...enterprise, mode: "bootstrap" });
    const { url, sshKey } = find("FluxInstall", "flux").inputs as { url: string; sshKey: { knownHosts: string } };
    assert.deepEqual([url, sshKey.knownHosts], [SSH_URL, knownHosts]);
    const sync = gotkSync({ url: SSH_URL, branch: "main", path: "clusters/test" });
    assert.equal(filesOf(find("GitCommit", "flux"))["clusters/test/flux-system/gotk-sync.yaml"], sync);
  });

  it("is not known by its keys, which have to be given, and is none where nothing says so", async () => {
    assert.deepEqual(await faults({ ...enterprise, knownHosts: undefined }), [
      `knownHosts is missing: nothing tells by which keys ${githubHost} is known over SSH`,
    ]);
    assert.deepEqual(await faults({ ...enterprise, githubHost: undefined }), [
      "auth adds a key to repositories on github.com alone, over HTTPS",
    ]);
  });
});

describe("a bootstrapped Flux as a GitHub App", () => {
  const asApp = { mode: "bootstrap", auth: "githubApp", gitKey: RSA } as const;

  it("reads the repository with the App's key, which is in no file, by a patch of what bootstrap writes", async () => {
    const repository = "https://github.com/acme/fleet";
    const { find } = await deployFlux({ ...asApp, repository, githubApp: { id: 123456 } });
    const { inputs } = find("FluxInstall", "flux");
    assert.deepEqual([inputs.provider, inputs.url], ["github", repository]);
    assert.deepEqual(inputs.githubApp, { id: "123456", installation: "acme", privateKey: `${RSA.trim()}\n` });
    const files = filesOf(find("GitCommit", "flux"));
    const sync = gotkSync({ url: repository, branch: "main", path: "clusters/test" });
    assert.equal(files["clusters/test/flux-system/gotk-sync.yaml"], sync);
    assert.match(
      files["clusters/test/flux-system/workload-identity/kustomization.yaml"] ?? "",
      /name: flux-system\n {2}patch: \|\n {4}- op: add\n {6}path: \/spec\/provider\n {6}value: github\n$/,
    );
    assert.doesNotMatch(JSON.stringify(files), /PRIVATE KEY/);
  });

  it("names its installation, on an Enterprise host too", async () => {
    const githubApp = { id: 5, installationId: 7 };
    const { find } = await deployFlux({ ...asApp, repository: "https://github.acme.example/acme/fleet", githubApp });
    const { installation } = find("FluxInstall", "flux").inputs.githubApp as { installation: string };
    assert.equal(installation, "7");
  });

  it("is refused where it cannot be: the extension, another host, SSH, an older Flux, without its App or key", async () => {
    const repository = "https://github.com/acme/fleet";
    const githubApp = { id: 5 };
    const told = (more: object) => faults({ ...asApp, repository, githubApp, ...more } as Partial<FluxBootstrapArgs>);
    const auth = (fault: string) => (all: string[]) => all.filter((one) => one.startsWith("auth ")).includes(fault);
    assert.ok(
      auth("auth cannot be said to the extension: its API 2023-05-01 knows no GitHub App")(
        await told({ mode: "extension" }),
      ),
    );
    assert.ok(
      auth("auth signs in to GitHub alone, over HTTPS, and not at dev.azure.com")(await told({ repository: DEVOPS })),
    );
    assert.ok(
      auth("auth signs in to GitHub alone, over HTTPS, and not over SSH")(
        await told({ repository: "ssh://git@github.com/acme/fleet" }),
      ),
    );
    const missing = "is missing: with auth githubApp Flux signs in to the repository";
    assert.ok((await told({ githubApp: undefined })).includes(`githubApp ${missing} as it`));
    assert.ok((await told({ gitKey: undefined })).includes(`gitKey ${missing} with the App's private key`));
    assert.ok((await told({ gitKey: EC })).includes("gitKey is no RSA key, and GitHub gives no others to Apps"));
    assert.ok(
      (await told({ auth: "token", gitKey: undefined })).includes(
        "githubApp says as which App Flux signs in, and it signs in by token",
      ),
    );
    assert.ok(
      signInDisorders({ ...asApp, repository, githubApp, version: "2.7.5" }).some(
        ({ key, problem }) =>
          key === "githubApp" && problem === "names no installation, and Flux 2.7.5 looks for none (2.8 does)",
      ),
    );
    assert.deepEqual(signInDisorders({ ...asApp, repository, githubApp, version: "2.8.0" }), []);
  });
});

describe("the extension's Flux", () => {
  const gitRepository = (inputs: Record<string, unknown>) => inputs.gitRepository as Record<string, unknown>;

  it("reads any host over HTTPS with a token", async () => {
    const { find } = await deployFlux({ repository: HTTPS, username: "deploy" }, { gitToken: "hunter2" });
    const { inputs } = find("FluxConfiguration", "flux");
    const { url, httpsUser, sshKnownHosts } = gitRepository(inputs);
    assert.deepEqual([url, httpsUser, sshKnownHosts], [HTTPS, "deploy", undefined]);
    assert.deepEqual(inputs.configurationProtectedSettings, { httpsKey: base64("hunter2") });
  });

  it("reads any host over SSH with the key that a person registered", async () => {
    const { find } = await deployFlux({ repository: SSH, gitKey: RSA, knownHosts: KNOWN_HOSTS });
    const { inputs } = find("FluxConfiguration", "flux");
    const { url, httpsUser, sshKnownHosts } = gitRepository(inputs);
    assert.deepEqual([url, httpsUser, sshKnownHosts], [SSH, undefined, base64(KNOWN_HOSTS)]);
    assert.deepEqual(inputs.configurationProtectedSettings, { sshPrivateKey: base64(RSA) });
    const ready = find("FluxConfigurationReady", "flux").inputs;
    assert.deepEqual([ready.url, ready.access], [SSH, { knownHosts: KNOWN_HOSTS }]);
  });
});

describe("what commits", () => {
  it("signs in with the variable and the user name that are named", async () => {
    const commit = { credential: "FLEET_TOKEN", username: "x-token-auth" };
    const { find } = await deployFlux({ mode: "bootstrap", repository: HTTPS, commit });
    assert.deepEqual(find("GitCommit", "flux").inputs.access, commit);
  });
});

describe("commits", () => {
  it("are made as the GitHub App that is named, whose key stays in the environment", async () => {
    const githubApp = { id: 123456, installationId: 7 };
    const { find } = await deployFlux({ commit: { githubApp, credential: "FLEET_APP_KEY" } });
    const access = { credential: "FLEET_APP_KEY", githubApp: { id: "123456", installationId: "7" } };
    assert.deepEqual(find("GitCommit", "flux").inputs.access, access);
    assert.deepEqual(find("KeyInUse", "flux").inputs.access, access);
    assert.deepEqual(find("FluxConfigurationReady", "flux").inputs.access, access);
  });

  it("are in the name and with the signature that are given", async () => {
    const author = { name: "Fleet", email: "fleet@acme.example" };
    const { find } = await deployFlux({ commit: { author, signingKey: "FLEET_SIGNING_KEY" } });
    const { inputs } = find("GitCommit", "flux");
    assert.deepEqual([inputs.author, inputs.committer, inputs.signingKey], [author, undefined, "FLEET_SIGNING_KEY"]);
    assert.equal(inputs.access, undefined);
  });

  it("go by pull request where the branch takes no push, from a branch of the stack's", async () => {
    const asked = async (options: object) => (await deployFlux(options)).find("GitCommit", "flux").inputs.pullRequest;
    const branch = "aks-gitops/test";
    assert.deepEqual(await asked({}), { branch });
    assert.deepEqual(await asked({ commit: { pullRequest: "wait" } }), { branch, waitMinutes: 60 });
    const commit = { pullRequest: "wait", pullRequestMinutes: 5 };
    assert.deepEqual(await asked({ commit }), { branch, waitMinutes: 5 });
    assert.equal(await asked({ commit: { pullRequest: "never" } }), undefined);
  });
});

describe("FluxBootstrap refuses", () => {
  it("pull requests where none can be opened, and a wait that is none", async () => {
    assert.deepEqual(
      await faults({
        repository: "https://gitlab.com/acme/fleet.git",
        gitToken: "t",
        commit: { pullRequest: "leave" },
      }),
      [
        "commit.pullRequest opens pull requests on GitHub and Azure DevOps alone, with a token over HTTPS, and not at gitlab.com",
      ],
    );
    assert.deepEqual(
      await faults({ repository: HTTPS, gitToken: "t", commit: { pullRequest: "wait", pullRequestMinutes: 0 } }),
      ["commit.pullRequestMinutes is no time to wait"],
    );
  });

  it("what belongs to GitHub alone, on another host", async () => {
    assert.deepEqual(await faults({ repository: HTTPS, createRepository: true, auth: "deployKey" }), [
      "createRepository makes repositories on github.com alone, over HTTPS",
      "auth adds a key to repositories on github.com alone, over HTTPS",
    ]);
  });

  it("a way that the address, the host or the mode does not know", async () => {
    assert.deepEqual(await faults({ repository: HTTPS, auth: "sshKey", gitKey: RSA }), [
      "auth reads over SSH, and the address does not tell where git.acme.example serves that",
    ]);
    assert.deepEqual(await faults({ repository: DEVOPS, auth: "workloadIdentity" }), [
      "auth cannot be said to the extension: its API 2023-05-01 knows no identity for a repository",
    ]);
    assert.deepEqual(await faults({ mode: "bootstrap", repository: HTTPS, auth: "workloadIdentity" }), [
      "auth signs in to Azure DevOps alone, over HTTPS",
    ]);
    assert.deepEqual(await faults({ mode: "bootstrap", repository: SSH, auth: "token", knownHosts: KNOWN_HOSTS }), [
      "auth reads over HTTPS, and the repository's address is one of SSH",
    ]);
  });

  it("SSH without its key and without knowing the host", async () => {
    assert.deepEqual(await faults({ repository: SSH }), [
      "knownHosts is missing: nothing tells by which keys git.acme.example:2222 is known over SSH",
      "gitKey is missing: with auth sshKey Flux signs in to the repository with it",
    ]);
    assert.deepEqual(await faults({ repository: SSH, gitKey: EC, knownHosts: KNOWN_HOSTS.replace("2222", "22") }), [
      "knownHosts has no key of [git.acme.example]:2222",
    ]);
  });

  it("a key that Azure DevOps does not take, and one that is none, without showing it", async () => {
    assert.deepEqual(await faults({ repository: DEVOPS_SSH, gitKey: EC }), [
      "gitKey is a key of kind ecdsa-sha2-nistp256, and Azure DevOps takes RSA alone",
    ]);
    assert.deepEqual(await faults({ repository: DEVOPS_SSH, gitKey: "hunter2" }), ["gitKey is no private key in PEM"]);
  });
});
