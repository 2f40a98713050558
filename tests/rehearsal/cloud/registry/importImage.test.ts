import { strict as assert } from "node:assert";
import { setTimeout as wait } from "node:timers/promises";
import { describe, it } from "mocha";
import { digestOf, MEDIA } from "../../../../rehearsal/cloud/registry/protocol.ts";
import { type CloudResponse, ServiceError } from "../../../../rehearsal/cloud/types.ts";
import { imageContent } from "../../../../rehearsal/content/image.ts";
import { artifact, FakeCloud, person, ROLES, registryResource, request } from "./support.ts";

const KURED = "ghcr.io/kubereboot/kured:1.23.0";
const TARGET = "ghcr.io/kubereboot/kured";

function cloudWith(...references: string[]): FakeCloud {
  const cloud = new FakeCloud({}, [registryResource("Fleet"), registryResource("other")]);
  for (const reference of references) cloud.upstream.add(imageContent(reference));
  return cloud;
}

/** Starts an import; an error in ARM's words is an answer too. */
async function start(cloud: FakeCloud, body: Record<string, unknown>, caller = "deployer"): Promise<CloudResponse> {
  const [fleet] = cloud.registries;
  const action = cloud.acr.extension.actions?.importImage;
  assert.ok(fleet && action);
  try {
    return await action(fleet, body, person(caller));
  } catch (error) {
    if (error instanceof ServiceError) return error.response;
    throw error;
  }
}

function poll(cloud: FakeCloud, location: string): CloudResponse | undefined {
  return cloud.acr.operationResult(
    request("GET", location, { headers: { authorization: "Bearer https://management.azure.com|deployer" } }),
  );
}

/** An import to its end, by polling where it is asked for. */
async function run(cloud: FakeCloud, body: Record<string, unknown>, caller?: string): Promise<CloudResponse> {
  let response = await start(cloud, body, caller);
  while (response.status === 202) {
    await wait(1);
    response = poll(cloud, response.headers?.location ?? "") ?? assert.fail("the Location is not answered");
  }
  return response;
}

function message(response: CloudResponse): string {
  const { error } = response.body as { error: { code: string; message: string } };
  return `${response.status} ${error.code}: ${error.message}`;
}

function from(
  sourceImage: string,
  targetTags: string[] = [`${TARGET}:1.23.0`],
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { source: { registryUri: "ghcr.io", sourceImage }, targetTags, ...more };
}

function content(cloud: FakeCloud, repository = TARGET) {
  const [fleet] = cloud.registries;
  assert.ok(fleet);
  return cloud.acr.store(fleet).find(repository);
}

describe("importImage", () => {
  it("copies an image of all architectures as an operation that is polled", async () => {
    const cloud = cloudWith(KURED);
    const { digest, manifests } = imageContent(KURED);
    const accepted = await start(cloud, from(`kubereboot/kured@${digest}`));
    assert.deepEqual([accepted.status, accepted.headers?.["retry-after"]], [202, "1"]);
    const location = accepted.headers?.location ?? "";
    assert.match(
      location,
      /^https:\/\/management\.azure\.com\/subscriptions\/11111111-2222-3333-4444-555555555555\/providers\/Microsoft\.ContainerRegistry\/locations\/westeurope\/operationResults\/registries-[0-9a-f-]{36}\?api-version=/,
    );
    assert.equal(content(cloud), undefined);
    assert.equal(poll(cloud, location)?.status, 202);
    await wait(5);
    assert.equal(poll(cloud, location)?.status, 200);
    const copied = content(cloud);
    assert.equal(copied?.tags.get("1.23.0"), digest);
    assert.deepEqual(
      [...(copied?.manifests.keys() ?? [])],
      manifests.map(({ body }) => digestOf(body)),
    );
    assert.equal(copied?.blobs.size, 4);
  });

  it("copies a single manifest at once", async () => {
    const cloud = cloudWith(KURED);
    const { manifests } = imageContent(KURED);
    const amd64 = digestOf(manifests[0]?.body ?? Buffer.alloc(0));
    assert.equal((await start(cloud, from(`kubereboot/kured@${amd64}`))).status, 200);
    assert.deepEqual([...(content(cloud)?.manifests.keys() ?? [])], [amd64]);
  });

  it("refuses a tag that exists, even at the same digest, unless it is forced", async () => {
    const cloud = cloudWith(KURED, "ghcr.io/kubereboot/kured:1.24.0");
    assert.equal((await run(cloud, from("kubereboot/kured:1.23.0"))).status, 200);
    const words = `409 Conflict: Tag ${TARGET}:1.23.0 already exists in target registry.`;
    assert.equal(message(await start(cloud, from("kubereboot/kured:1.23.0"))), words);
    assert.equal(message(await start(cloud, from("kubereboot/kured:1.24.0", undefined, { mode: "NoForce" }))), words);
    assert.equal((await run(cloud, from("kubereboot/kured:1.24.0", undefined, { mode: "Force" }))).status, 200);
    assert.equal(content(cloud)?.tags.get("1.23.0"), imageContent("ghcr.io/kubereboot/kured:1.24.0").digest);
  });

  it("lets the later of two imports of one tag fail while polling", async () => {
    const cloud = cloudWith(KURED);
    const both = await Promise.all([
      run(cloud, from("kubereboot/kured:1.23.0")),
      run(cloud, from("kubereboot/kured:1.23.0")),
    ]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
  });

  it("refuses a source by tag and digest, without a name, or of an unknown form", async () => {
    const cloud = cloudWith(KURED);
    const { digest } = imageContent(KURED);
    for (const image of [`kubereboot/kured:1.23.0@${digest}`, "", "Kubereboot/kured:1.23.0", "kured@sha256:12"])
      assert.equal(
        message(await start(cloud, from(image))),
        `400 InvalidParameters: Invalid value '${image}' for parameters.Source.SourceImage.`,
      );
  });

  it("refuses targets and members that it does not know", async () => {
    const cloud = cloudWith(KURED);
    const fault = async (body: Record<string, unknown>) => message(await start(cloud, body));
    const image = "kubereboot/kured:1.23.0";
    assert.equal(
      await fault(from(image, [])),
      "400 InvalidParameters: Invalid value 'null' for parameters.TargetTags.",
    );
    assert.equal(
      await fault(from(image, ["a@sha256:1"])),
      "400 InvalidParameters: Invalid value 'a@sha256:1' for parameters.TargetTags.",
    );
    assert.equal(
      await fault(from(image, ["a:1"], { mode: "force" })),
      "400 InvalidParameters: Invalid value 'force' for parameters.Mode.",
    );
    assert.match(
      await fault(from(image, ["a:1"], { tags: [] })),
      /^400 InvalidRequestContent: .*'Could not find member 'tags'/,
    );
    const both = { source: { registryUri: "ghcr.io", resourceId: "/x", sourceImage: image }, targetTags: ["a:1"] };
    assert.equal(
      await fault(both),
      "400 InvalidParameters: Invalid value 'ghcr.io' for parameters.Source.RegistryUri.",
    );
  });

  it("says which manifest a source has not got; Docker Hub's official images need library/", async () => {
    const cloud = cloudWith("docker.io/library/busybox:1.36");
    const hub = (sourceImage: string) => ({
      source: { registryUri: "docker.io", sourceImage },
      targetTags: ["busybox:1.36"],
    });
    const words =
      /^400 InvalidParameters: Operation registries-\S+ failed\. Resource \S+ Unable to find manifest digest {2}Repo: docker\.io\/busybox Tag: 1\.36 Manifest: $/;
    assert.match(message(await start(cloud, hub("busybox:1.36"))), words);
    assert.equal((await run(cloud, hub("library/busybox:1.36"))).status, 200);
    const unknown = { source: { registryUri: "registry.example", sourceImage: "a" }, targetTags: ["a:1"] };
    assert.equal(
      message(await start(cloud, unknown)),
      "400 InvalidParameters: The source registry registry.example could not be reached.",
    );
  });

  it("imports by digest alone into untagged repositories, as often as one likes", async () => {
    const cloud = cloudWith(KURED);
    const { digest } = imageContent(KURED);
    const body = {
      source: { registryUri: "ghcr.io", sourceImage: `kubereboot/kured@${digest}` },
      untaggedTargetRepositories: [TARGET],
    };
    assert.equal((await run(cloud, body)).status, 200);
    assert.equal((await run(cloud, body)).status, 200);
    assert.deepEqual([content(cloud)?.tags.size, content(cloud)?.manifests.has(digest)], [0, true]);
  });

  it("leaves referrers behind", async () => {
    const cloud = cloudWith(KURED);
    const { digest } = imageContent(KURED);
    const signature = artifact("signature", { subject: { mediaType: MEDIA.ociIndex, digest, size: 1 } });
    const blobs = [signature.config, signature.layer];
    const manifests = [{ mediaType: MEDIA.ociManifest, body: signature.manifest }];
    cloud.upstream.add({ registry: "ghcr.io", repository: "kubereboot/kured", tags: [], blobs, manifests });
    assert.equal((await run(cloud, from("kubereboot/kured:1.23.0"))).status, 200);
    assert.equal(content(cloud)?.manifests.has(signature.digest), false);
  });

  it("refuses images of more than 50 manifests", async () => {
    const cloud = cloudWith();
    const children = Array.from({ length: 51 }, (_, number) => artifact(`layer ${number}`));
    const index = (count: number) =>
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          manifests: children
            .slice(0, count)
            .map(({ digest, manifest }) => ({ mediaType: MEDIA.ociManifest, digest, size: manifest.length })),
        }),
      );
    for (const count of [50, 51]) {
      const manifests = [
        ...children.map(({ manifest }) => ({ mediaType: MEDIA.ociManifest, body: manifest })),
        { mediaType: MEDIA.ociIndex, body: index(count) },
      ];
      cloud.upstream.add({
        registry: "quay.io",
        repository: "many",
        tags: [String(count)],
        blobs: children.flatMap(({ config, layer }) => [config, layer]),
        manifests,
      });
    }
    const many = (tag: number) => ({
      source: { registryUri: "quay.io", sourceImage: `many:${tag}` },
      targetTags: [`many:${tag}`],
    });
    assert.equal((await run(cloud, many(50))).status, 200);
    const words = "400 InvalidParameters: The image has 51 manifests; the maximum number for an import is 50.";
    assert.equal(message(await start(cloud, many(51))), words);
  });

  it("imports from another registry by its id where the caller may pull there, and by name with credentials", async () => {
    const cloud = cloudWith();
    const [, other] = cloud.registries;
    assert.ok(other);
    const made = artifact("layer");
    for (const blob of [made.config, made.layer]) cloud.acr.store(other).putBlob("app", blob);
    cloud.acr.store(other).putManifest("app", made.manifest, MEDIA.ociManifest, "1");
    const body = { source: { resourceId: other.id, sourceImage: "app:1" }, targetTags: ["app:1"] };
    assert.match(
      message(await start(cloud, body)),
      /^403 LinkedAuthorizationFailed: The client 'deployer' .* 'Microsoft\.ContainerRegistry\/registries\/pull\/read' on the linked scope/,
    );
    cloud.roles.set("deployer", ROLES.AcrPull);
    assert.equal((await start(cloud, body)).status, 200);
    const named = (password: string) => ({
      source: {
        registryUri: "other.azurecr.io",
        credentials: { username: "deployer", password },
        sourceImage: "app:1",
      },
      targetTags: ["copy:1"],
    });
    const refused = message(await start(cloud, named("wrong")));
    assert.equal(
      refused,
      "400 InvalidParameters: Authentication to the source registry other.azurecr.io failed. Check source.credentials.",
    );
    assert.equal((await start(cloud, named("secret of deployer"))).status, 200);
  });

  it("answers polling only with a token for ARM, and leaves operations that are no imports to ARM", async () => {
    const cloud = cloudWith(KURED);
    const { headers } = await start(cloud, from("kubereboot/kured:1.23.0"));
    const location = headers?.location ?? "";
    assert.throws(() => cloud.acr.operationResult(request("GET", location)), { message: "invalid token" });
    const others = location.replace(/registries-[0-9a-f-]+/, "registries-00000000-0000-0000-0000-000000000000");
    assert.equal(poll(cloud, others), undefined);
    assert.equal(poll(cloud, location.replace("ContainerRegistry", "KeyVault")), undefined);
  });
});
