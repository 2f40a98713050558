import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import {
  addressFault,
  commitUrl,
  enterpriseHost,
  gitHubRepository,
  isDevOps,
  parseRepositoryUrl,
  type RepositoryAddress,
  sshUrl,
  takesGitHubToken,
  written,
  writtenUrl,
} from "../../net/gitAddress.ts";

const parsed = (text: string): RepositoryAddress => {
  const address = parseRepositoryUrl(text);
  assert.ok(address, text);
  return address;
};

describe("a repository's address", () => {
  it("is understood as people copy it", () => {
    for (const end of ["", "/", ".git", ".git/"]) {
      const address = parsed(`https://github.com/acme/fleet${end}`);
      assert.deepEqual(gitHubRepository(address), { owner: "acme", name: "fleet" }, end);
      assert.equal(commitUrl(address), "https://github.com/acme/fleet");
    }
  });

  it("may be of any host, with a port, over HTTPS and over SSH", () => {
    for (const text of [
      "https://git.acme.example/platform-team/fleet.git-ops_1",
      "https://git.acme.example:8443/scm/~me/fleet.git",
      "https://gitlab.com/acme/platform/fleet.git",
      "https://github.acme.corp/platform/fleet",
      "https://acme.ghe.com/platform/fleet",
      "https://dev.azure.com/acme/My%20Platform/_git/fleet",
      "ssh://git@ssh.dev.azure.com/v3/acme/platform/fleet",
      "ssh://git@github.com/acme/fleet.git",
      "ssh://gitea@git.acme.example:2222/fleet",
    ]) {
      assert.equal(addressFault(text), undefined, text);
      assert.equal(written(parsed(text)), text);
      assert.equal(commitUrl(parsed(text)), text);
      assert.equal(gitHubRepository(parsed(text)), undefined, text);
    }
    assert.deepEqual(parseRepositoryUrl("ssh://git@git.acme.example:2222/a/b/"), {
      ...{ scheme: "ssh", user: "git", host: "git.acme.example:2222", path: "a/b" },
    });
  });

  it("is none where host or path is missing, or something else is there", () => {
    for (const text of [
      "",
      "https://github.com/acme",
      "https://github.com/acme/",
      "https://github.com/acme/.git",
      "https://github.com/acme/.git/fleet",
      "https://github.com/acme/fleet/tree/main",
      "https://user:hunter2@github.com/acme/fleet",
      "https://github.com/acme/fleet?tab=readme",
      "https://git.acme.example/a/../b",
      "https://git.acme.example/a//b",
      "https://git.acme.example/",
      "http://github.com/acme/fleet",
      "file:///srv/fleet.git",
      "git@github.com:acme/fleet.git",
    ])
      assert.equal(parseRepositoryUrl(text), undefined, text);
  });

  const remedies: [string, string, RegExp][] = [
    [
      "git@github.com:acme/fleet.git",
      "is SSH's short form, which Flux does not take",
      /^write ssh:\/\/git@github\.com\/acme\/fleet\.git$/,
    ],
    [
      "git@ssh.dev.azure.com:v3/acme/platform/fleet",
      "is SSH's short form, which Flux does not take",
      /^write ssh:\/\/git@ssh\.dev\.azure\.com\/v3\/acme\/platform\/fleet$/,
    ],
    [
      "https://acme@dev.azure.com/acme/platform/_git/fleet",
      "names who signs in",
      /^write https:\/\/dev\.azure\.com\/acme\/platform\/_git\/fleet$/,
    ],
    ["http://github.com/acme/fleet", "would show the token to everybody on the way", /https:\/\//],
    ["ssh://github.com/acme/fleet", "does not say who signs in", /^write ssh:\/\/git@/],
    [
      "oci://acme.azurecr.io/manifests/fleet",
      "is an OCI artifact, and the program commits to a Git repository",
      /; the artifact that the cluster reads in place of it is flux\.artifact, further ones are flux\.sources$/,
    ],
    ["git://github.com/acme/fleet", "is read over neither HTTPS nor SSH", /^write the repository's address/],
    ["https://www.github.com/acme/fleet", "is no repository on GitHub", /^write https:\/\/github\.com\/acme\/fleet$/],
    [
      "https://github.com/acme/fleet/tree/main",
      "is no repository on GitHub",
      /^write https:\/\/github\.com\/acme\/fleet$/,
    ],
    [
      "https://dev.azure.com/acme/_git/fleet",
      "is no repository of Azure DevOps",
      /^write https:\/\/dev\.azure\.com\/acme\/fleet\/_git\/fleet$/,
    ],
    [
      "https://dev.azure.com/acme/platform/fleet",
      "is no repository of Azure DevOps",
      /<organization>\/<project>\/_git\/<repository>$/,
    ],
    [
      "ssh://git@ssh.dev.azure.com/acme/platform/fleet",
      "is no repository of Azure DevOps",
      /^write ssh:\/\/git@ssh\.dev\.azure\.com\/v3\//,
    ],
    [
      "https://acme.visualstudio.com/platform/_git/fleet",
      "is an address that Azure DevOps had before",
      /^write https:\/\/dev\.azure\.com\//,
    ],
    ["https://u:hunter2@git.acme.example/fleet", "holds a user name or a credential", /GIT_TOKEN/],
    ["ssh://git:hunter2@git.acme.example/fleet", "holds a user name or a credential", /GIT_SSH_KEY/],
    ["fleet", "does not have the right form", /^write the repository's address/],
  ];
  for (const [text, problem, remedy] of remedies)
    it(`${problem}: ${text.replace("hunter2", "...")}, and what to write is said`, () => {
      const fault = addressFault(text);
      assert.equal(fault?.problem, problem);
      assert.match(fault?.remedy ?? "", remedy);
      assert.doesNotMatch(JSON.stringify(fault), /hunter2/);
    });

  it("is not repeated where it may have a token in it", () => {
    const token = `ghp_${"0123456789".repeat(4)}`;
    for (const text of [
      `git@github.com:${token}/fleet`,
      `https://www.github.com/${token}/fleet`,
      `https://${token}@github.com/a/b`,
    ])
      assert.doesNotMatch(JSON.stringify(addressFault(text)), /ghp_/);
  });

  it("is one over HTTPS and one over SSH, however it was written, where a host has one name for both", () => {
    const over: [string, string | undefined][] = [
      ["https://github.com/acme/fleet.git", "ssh://git@github.com/acme/fleet"],
      ["https://gitlab.com/acme/platform/fleet.git", "ssh://git@gitlab.com/acme/platform/fleet"],
      ["https://dev.azure.com/acme/platform/_git/fleet", "ssh://git@ssh.dev.azure.com/v3/acme/platform/fleet"],
      ["ssh://me@git.acme.example:22/fleet.git", "ssh://me@git.acme.example:22/fleet.git"],
      ["https://git.acme.example/fleet.git", undefined],
    ];
    for (const [text, ssh] of over) assert.equal(sshUrl(parsed(text)), ssh, text);
  });

  it("is one of Azure DevOps over HTTPS alone, where Entra's identities sign in", () => {
    assert.equal(isDevOps(parsed("https://dev.azure.com/acme/platform/_git/fleet")), true);
    assert.equal(isDevOps(parsed("ssh://git@ssh.dev.azure.com/v3/acme/platform/fleet")), false);
  });

  it("stays as it was written for Flux, but for a slash at its end", () => {
    assert.equal(writtenUrl("https://github.com/acme/fleet.git"), "https://github.com/acme/fleet.git");
    assert.equal(writtenUrl("https://github.com/acme/fleet.git/"), "https://github.com/acme/fleet.git");
  });
});

describe("GITHUB_TOKEN", () => {
  it("is for GitHub, and for the server that a workflow runs on", () => {
    const environment = { GITHUB_SERVER_URL: "https://github.acme.corp" };
    for (const url of ["https://github.com/a/b", "https://acme.ghe.com/a/b", "https://github.acme.corp/a/b"])
      assert.equal(takesGitHubToken(url, environment), true, url);
    for (const url of [
      "https://gitlab.com/a/b",
      "https://dev.azure.com/a/b/_git/c",
      "https://github.com.evil.example/a/b",
      "https://evilghe.com/a/b",
      "https://github.other.corp/a/b",
    ])
      assert.equal(takesGitHubToken(url, environment), false, url);
  });
});

describe("a host of GitHub Enterprise", () => {
  it("is what @pulumi/github is told by github:baseUrl, and not github.com", () => {
    const hosts = (baseUrl: unknown) => enterpriseHost({ "github:baseUrl": baseUrl });
    assert.equal(hosts("https://github.acme.example/"), "github.acme.example");
    assert.equal(hosts("https://github.acme.example/api/v3/"), "github.acme.example");
    assert.equal(hosts("https://api.acme.ghe.com/"), "acme.ghe.com");
    for (const none of ["https://api.github.com/", "no url", undefined, 7]) assert.equal(hosts(none), undefined);
  });

  it("has its repositories' owner and name in their addresses, and one name over SSH", () => {
    const address = parsed("https://github.acme.example/acme/fleet.git");
    assert.deepEqual(gitHubRepository(address, "github.acme.example"), { owner: "acme", name: "fleet" });
    assert.equal(sshUrl(address, "github.acme.example"), "ssh://git@github.acme.example/acme/fleet");
    assert.equal(gitHubRepository(address, "other.example"), undefined);
    assert.equal(sshUrl(address), undefined);
  });
});
