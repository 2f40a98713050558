import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { findReferences, parseReference, sourceOf } from "../../mirror/reference.ts";

const SHA = `sha256:${"a".repeat(64)}`;

describe("parseReference", () => {
  const names: [string, object][] = [
    ["nginx", { host: "docker.io", repository: "library/nginx" }],
    ["acme/tool:1.2", { host: "docker.io", repository: "acme/tool", tag: "1.2" }],
    ["docker.io/nginx:1", { host: "docker.io", repository: "library/nginx", tag: "1" }],
    ["index.docker.io/acme/tool", { host: "docker.io", repository: "acme/tool" }],
    ["localhost/tool:1", { host: "localhost", repository: "tool", tag: "1" }],
    ["registry:5000/a/b/c:1", { host: "registry:5000", repository: "a/b/c", tag: "1" }],
    [`ghcr.io/a/b__c.d-e:v1@${SHA}`, { host: "ghcr.io", repository: "a/b__c.d-e", tag: "v1", digest: SHA }],
    [`ghcr.io/a@${SHA}`, { host: "ghcr.io", repository: "a", digest: SHA }],
  ];
  for (const [text, reference] of names) {
    it(`reads ${text} as container runtimes do`, () => assert.deepEqual(parseReference(text), reference));
  }

  it("knows Docker Hub by all of its names", () => {
    for (const name of [
      "influxdb",
      "docker.io/influxdb",
      "docker.io/library/influxdb",
      "index.docker.io/library/influxdb",
      "registry-1.docker.io/library/influxdb",
      "registry.hub.docker.com/library/influxdb",
    ])
      assert.deepEqual(parseReference(`${name}:1.8`), {
        host: "docker.io",
        repository: "library/influxdb",
        tag: "1.8",
      });
  });

  it("takes nothing else for an image's name", () => {
    for (const text of [
      "",
      "https://ghcr.io/a:1",
      "Nginx",
      "ghcr.io/A:1",
      "a b",
      "a:b:c",
      "ghcr.io//a",
      "a@sha256:123",
      "{{ .x }}",
    ]) {
      assert.equal(parseReference(text), undefined, text);
    }
  });
});

describe("sourceOf", () => {
  it("names an image by its tag, and by its digest where it has no tag", () => {
    const source = (text: string) => sourceOf(parseReference(text) ?? assert.fail(text));
    assert.equal(source("nginx"), "docker.io/library/nginx:latest");
    assert.equal(source(`ghcr.io/a/b:1@${SHA}`), "ghcr.io/a/b:1");
    assert.equal(source(`ghcr.io/a/b@${SHA}`), `ghcr.io/a/b@${SHA}`);
  });
});

describe("findReferences", () => {
  const found = (text: string) => findReferences(text).map(({ start, end }) => text.slice(start, end));
  it("finds images in the middle of a text, without the full stop behind them", () => {
    assert.deepEqual(found(`run ghcr.io/a/b:1.2. Then --image=quay.io/c@${SHA}, "gcr.io:443/d:e"`), [
      "ghcr.io/a/b:1.2",
      `quay.io/c@${SHA}`,
      "gcr.io:443/d:e",
    ]);
  });

  it("finds images of a registry that is an address or has a port", () => {
    assert.deepEqual(found("localhost:5000/a:1 10.0.0.1:5000/b:2 registry:443/c:3 12:30/13:30"), [
      "localhost:5000/a:1",
      "10.0.0.1:5000/b:2",
      "registry:443/c:3",
    ]);
  });

  it("passes over URLs, addresses and names without a tag", () => {
    const texts = [
      "https://ghcr.io/a/b:1",
      "x.svc:8080",
      "ghcr.io/a/b",
      "apps/v1:x",
      "10.0.0.1/a:1",
      "me@acme.example/a:1",
    ];
    for (const text of texts) assert.deepEqual(found(text), [], text);
  });
});
