import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { describe, it } from "mocha";
import { knownAs, knownHostsFault, publishedKeys, scanCommand } from "../../net/knownHosts.ts";

/** As each host publishes them: the pages that net/knownHosts.ts names. */
const FINGERPRINTS: Readonly<Record<string, readonly string[]>> = {
  "github.com": [
    "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
    "p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM",
    "uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s",
  ],
  "gitlab.com": [
    "eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8",
    "ROQFvPThGrW4RuWLoL9tq9I9zJ42fK4XywyRtbOz/EQ",
    "HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw",
  ],
  "ssh.dev.azure.com": ["ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og"],
  "bitbucket.org": [
    "ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM",
    "FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0",
    "46OSHA1Rmj8E8ERTC6xkNcmGOw9oFxYr0WF6zWW8l1E",
  ],
};

describe("the keys of Git hosts", () => {
  for (const [host, fingerprints] of Object.entries(FINGERPRINTS))
    it(`are those that ${host} publishes`, () => {
      const lines = (publishedKeys(host) ?? "").trimEnd().split("\n");
      const found = lines.map((line) => {
        const [name, , key = ""] = line.split(" ");
        assert.equal(name, host);
        return createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace(/=+$/, "");
      });
      assert.deepEqual(found, fingerprints);
      assert.equal(knownHostsFault(publishedKeys(host) ?? "", host), undefined);
    });

  it("are known of no other host, and not of another port", () => {
    assert.equal(publishedKeys("git.acme.example"), undefined);
    assert.equal(publishedKeys("github.com:443"), undefined);
    assert.equal(publishedKeys("github.com:22"), publishedKeys("github.com"));
  });

  it("stand under the host's name, with another port in SSH's own manner", () => {
    assert.deepEqual(["a.example", "a.example:22", "a.example:2222"].map(knownAs), [
      "a.example",
      "a.example",
      "[a.example]:2222",
    ]);
    assert.equal(scanCommand("a.example:2222"), "ssh-keyscan -p 2222 a.example");
  });

  const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
  it("that people give are for the host in question", () => {
    for (const line of [
      `a.example ${KEY}`,
      `b,a.example ${KEY} comment`,
      `*.example ${KEY}`,
      `# one\n\na.example ${KEY}\r\n`,
      `|1|x|y ${KEY}`,
    ])
      assert.equal(knownHostsFault(line, "a.example"), undefined, line);
    assert.equal(knownHostsFault(`a.example ${KEY}`, "a.example:2222"), "has no key of [a.example]:2222");
    assert.equal(knownHostsFault(`ba.example ${KEY}`, "a.example"), "has no key of a.example");
    for (const line of ["", KEY, "a.example", `a.example ${KEY}\nnonsense`])
      assert.equal(knownHostsFault(line, "a.example"), "has a line that is no host with its key", line);
  });
});
