import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { MEDIA } from "../../../../rehearsal/cloud/registry/protocol.ts";
import { UpstreamRegistries } from "../../../../rehearsal/cloud/registry/upstream.ts";
import { imageContent } from "../../../../rehearsal/content/image.ts";
import { ask } from "./support.ts";

const ACCEPT = { accept: MEDIA.ociIndex };

/** Follows a registry's challenge and asks again with the token. */
async function pull(
  registries: UpstreamRegistries,
  url: string,
): Promise<{ challenge: string; status: number; digest: string | undefined }> {
  const first = await ask(registries.service, "GET", url, { headers: ACCEPT });
  const challenge = first.headers["www-authenticate"] ?? "";
  const field = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
  const token = await ask(
    registries.service,
    "GET",
    `${field("realm")}?service=${field("service")}&scope=${field("scope")}`,
  );
  const headers = { ...ACCEPT, authorization: `Bearer ${token.json.token}` };
  const second = await ask(registries.service, "GET", url, { headers });
  return { challenge, status: second.status, digest: second.headers["docker-content-digest"] };
}

describe("Upstream registries", () => {
  it("give tokens to everybody, each registry in its own place", async () => {
    const references = [
      "docker.io/library/busybox:1.36",
      "ghcr.io/kubereboot/kured:1.23.0",
      "quay.io/a/b:1",
      "gcr.io/a/b:1",
    ];
    const registries = new UpstreamRegistries(references.map(imageContent));
    const hub = await pull(registries, "https://registry-1.docker.io/v2/library/busybox/manifests/1.36");
    assert.deepEqual(hub, {
      challenge:
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull"',
      status: 200,
      digest: imageContent("busybox:1.36").digest,
    });
    const ghcr = await pull(registries, "https://ghcr.io/v2/kubereboot/kured/manifests/1.23.0");
    assert.equal(
      ghcr.challenge,
      'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:kubereboot/kured:pull"',
    );
    assert.equal(ghcr.status, 200);
    const quay = await pull(registries, "https://quay.io/v2/a/b/manifests/1");
    assert.equal(
      quay.challenge,
      'Bearer realm="https://quay.io/v2/auth",service="quay.io",scope="repository:a/b:pull"',
    );
    assert.equal(quay.status, 200);
    const google = await pull(registries, "https://gcr.io/v2/a/b/manifests/1");
    assert.deepEqual(
      [google.challenge, google.status],
      ['Bearer realm="https://gcr.io/v2/token",service="gcr.io",scope="repository:a/b:pull"', 200],
    );
    assert.equal((await pull(registries, "https://ghcr.io/v2/kubereboot/kured/manifests/9.9.9")).status, 404);
  });

  it("serve mcr.microsoft.com and registry.k8s.io without a token", async () => {
    const registries = new UpstreamRegistries(
      ["mcr.microsoft.com/oss/a:1", "registry.k8s.io/pause:3.10"].map(imageContent),
    );
    for (const url of [
      "https://mcr.microsoft.com/v2/oss/a/manifests/1",
      "https://registry.k8s.io/v2/pause/manifests/3.10",
    ])
      assert.equal((await ask(registries.service, "GET", url, { headers: ACCEPT })).status, 200);
  });

  it("know only what they were given", async () => {
    const registries = new UpstreamRegistries([imageContent("mcr.microsoft.com/oss/a:1")]);
    const answer = await ask(registries.service, "GET", "https://mcr.microsoft.com/v2/oss/a/manifests/2", {
      headers: ACCEPT,
    });
    assert.deepEqual([answer.status, answer.json.errors[0].code], [404, "MANIFEST_UNKNOWN"]);
    const head = await ask(registries.service, "HEAD", "https://mcr.microsoft.com/v2/oss/a/manifests/2", {
      headers: ACCEPT,
    });
    assert.deepEqual([head.status, head.body.length], [404, 0]);
    assert.throws(
      () => registries.add(imageContent("registry.example/a:1")),
      /has no registry registry\.example \(for a\); it has docker\.io, ghcr\.io/,
    );
  });

  it("hold a token to its repository and refuse every push", async () => {
    const registries = new UpstreamRegistries([imageContent("ghcr.io/a/b:1"), imageContent("ghcr.io/c/d:1")]);
    const scope = "repository:a/b:pull,push";
    const { json } = await ask(registries.service, "GET", `https://ghcr.io/token?service=ghcr.io&scope=${scope}`);
    const headers = { ...ACCEPT, authorization: `Bearer ${json.token}` };
    assert.equal((await ask(registries.service, "GET", "https://ghcr.io/v2/a/b/manifests/1", { headers })).status, 200);
    assert.equal((await ask(registries.service, "GET", "https://ghcr.io/v2/c/d/manifests/1", { headers })).status, 401);
    const push = await ask(registries.service, "POST", "https://ghcr.io/v2/a/b/blobs/uploads/", { headers });
    assert.deepEqual([push.status, push.json.errors[0].code], [403, "DENIED"]);
    const open = await ask(registries.service, "POST", "https://mcr.microsoft.com/v2/a/b/blobs/uploads/");
    assert.equal(open.status, 403);
  });

  it("answer 429 as often as they are told to, with the time to wait", async () => {
    const registries = new UpstreamRegistries([imageContent("mcr.microsoft.com/oss/a:1")]);
    registries.throttle("mcr.microsoft.com", 2, 7);
    const get = () =>
      ask(registries.service, "GET", "https://mcr.microsoft.com/v2/oss/a/manifests/1", { headers: ACCEPT });
    const first = await get();
    assert.deepEqual(
      [first.status, first.headers["retry-after"], first.json.errors[0].code],
      [429, "7", "TOOMANYREQUESTS"],
    );
    assert.deepEqual([(await get()).status, (await get()).status], [429, 200]);
  });
});
