import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { httpsUrl, parseRepositoryUrl, sshUrl, writtenUrl } from "../../../components/repository/repositoryUrl.ts";

const FLEET = { host: "github.com", owner: "acme", name: "fleet" };

describe("a repository's address", () => {
  it("is understood as people copy it", () => {
    for (const end of ["", "/", ".git", ".git/"])
      assert.deepEqual(parseRepositoryUrl(`https://github.com/acme/fleet${end}`), FLEET, end);
  });

  it("may have dots, hyphens and another host", () => {
    assert.deepEqual(parseRepositoryUrl("https://git.acme.example/platform-team/fleet.git-ops_1"), {
      host: "git.acme.example",
      owner: "platform-team",
      name: "fleet.git-ops_1",
    });
  });

  it("is none where host, owner or name is missing, or something else is there", () => {
    for (const text of [
      "",
      "https://github.com/acme",
      "https://github.com/acme/",
      "https://github.com/acme/.git",
      "https://github.com/acme/.git/fleet",
      "https://github.com/acme/fleet/tree/main",
      "https://user:hunter2@github.com/acme/fleet",
      "https://github.com/acme/fleet?tab=readme",
      "http://github.com/acme/fleet",
      "git@github.com:acme/fleet.git",
    ])
      assert.equal(parseRepositoryUrl(text), undefined, text);
  });

  it("is one over HTTPS and one over SSH, however it was written", () => {
    assert.equal(httpsUrl(FLEET), "https://github.com/acme/fleet");
    assert.equal(sshUrl(FLEET), "ssh://git@github.com/acme/fleet");
  });

  it("stays as it was written for Flux, but for a slash at its end", () => {
    assert.equal(writtenUrl("https://github.com/acme/fleet.git"), "https://github.com/acme/fleet.git");
    assert.equal(writtenUrl("https://github.com/acme/fleet.git/"), "https://github.com/acme/fleet.git");
  });
});
