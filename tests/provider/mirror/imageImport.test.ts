import { strict as assert } from "node:assert";
import { generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, it } from "mocha";
import { RegistryClosed } from "../../../net/registry/client.ts";
import { type Properties, type ResourceHandler, Secret, UNKNOWN } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { Limiter } from "../../../provider/azure/limiter.ts";
import { imageImportIn } from "../../../provider/mirror/imageImport.ts";
import { digestOf, FakeCloud, REGISTRY_ID } from "../fakeCloud.ts";

const DIGEST = digestOf("kured");
const OTHER = digestOf("other");
const REPOSITORY = "ghcr.io/kubereboot/kured";
const TAG = `${REPOSITORY}:1.23.0`;

const inputs = (more: Properties = {}): Properties => ({
  registryId: REGISTRY_ID,
  loginServer: "acme.azurecr.io",
  source: "ghcr.io/kubereboot/kured:1.23.0",
  digest: DIGEST,
  repository: REPOSITORY,
  tag: "1.23.0",
  ...more,
});

describe("ImageImport", () => {
  let cloud: FakeCloud;
  let handler: ResourceHandler;
  beforeEach(() => {
    cloud = new FakeCloud();
    handler = imageImportIn(cloud, { roleWaits: [] });
  });

  const create = (more?: Properties) => handler.create(inputs(more), cloud.context);
  const closed = () => new RegistryClosed(403, "the firewall says no", true);
  const faults = async (more: Properties) => {
    const checked = await handler.check?.(inputs(more), undefined, cloud.context, new Uint8Array());
    return (checked?.failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);
  };
  const refresh = (id: string, given: Properties) => handler.read?.(id, given, given, cloud.context);

  it("imports by digest to the tag, and gives the reference", async () => {
    const { id, state } = await create();
    assert.equal(id, `${REGISTRY_ID}/images/${TAG}`);
    assert.deepEqual(state, inputs({ reference: `acme.azurecr.io/${REPOSITORY}@${DIGEST}` }));
    assert.deepEqual(cloud.calls, [
      {
        method: "POST",
        path: `${REGISTRY_ID}/importImage`,
        body: {
          source: { registryUri: "ghcr.io", sourceImage: `kubereboot/kured@${DIGEST}` },
          targetTags: [TAG],
          mode: "NoForce",
        },
      },
    ]);
  });

  it("imports an image without a tag into the repository", async () => {
    const { id } = await create({ tag: undefined, source: `ghcr.io:443/kubereboot/kured@${DIGEST}` });
    assert.equal(id, `${REGISTRY_ID}/images/${REPOSITORY}@${DIGEST}`);
    assert.deepEqual(cloud.calls[0]?.body, {
      source: { registryUri: "ghcr.io:443", sourceImage: `kubereboot/kured@${DIGEST}` },
      untaggedTargetRepositories: [REPOSITORY],
      mode: "NoForce",
    });
  });

  it("does nothing where the tag already holds the digest", async () => {
    cloud.held.set(TAG, DIGEST);
    await create();
    assert.deepEqual(cloud.calls, []);
  });

  it("refuses a tag that holds another digest, unless it may be replaced", async () => {
    cloud.held.set(TAG, OTHER);
    await assert.rejects(create(), {
      message:
        `acme.azurecr.io/${TAG} holds ${OTHER}, but ghcr.io/kubereboot/kured:1.23.0 is ${DIGEST}: one of the two tags was ` +
        "moved. Set allowMovedTag to true to replace what the registry holds, or mirror another tag",
    });
    assert.equal(cloud.calls.length, 0);
    await create({ allowMovedTag: true });
    assert.deepEqual(
      cloud.calls.map(({ body }) => (body as { mode: string }).mode),
      ["Force"],
    );
    assert.equal(cloud.held.get(TAG), DIGEST);
  });

  it("takes the tag as it is when somebody else imported it meanwhile, if the digest is right", async () => {
    cloud.answer = (call) => {
      cloud.held.set(TAG, DIGEST);
      return cloud.import(call);
    };
    await create();
    assert.equal(cloud.calls.length, 1);
  });

  it("waits while another operation holds the registry, and stops at another error", async () => {
    let conflicts = 1;
    cloud.answer = (call) => {
      if (conflicts-- > 0) throw new ArmError(409, "Conflict", "an operation is in progress");
      return cloud.import(call);
    };
    await create();
    assert.equal(cloud.calls.length, 2);
    cloud.answer = () => {
      throw new ArmError(403, "AuthorizationFailed", "the client has no authorization");
    };
    await assert.rejects(
      create({ tag: "2" }),
      /importing ghcr.io\/kubereboot\/kured:1.23.0 \(sha256:[a-f0-9]{64}\): the client has no/,
    );
  });

  it("waits for a role that is new, tells so, and not for a policy", async () => {
    handler = imageImportIn(cloud, { roleWaits: [1, 2] });
    let refusals = 2;
    let code = "AuthorizationFailed";
    cloud.answer = (call) => {
      if (refusals-- > 0) throw new ArmError(403, code, "not yet");
      return cloud.import(call);
    };
    await create();
    assert.equal(cloud.calls.length, 3);
    assert.deepEqual(
      cloud.messages,
      [1, 2].map(
        (wait) =>
          `info: importing ghcr.io/kubereboot/kured:1.23.0 (${DIGEST}): not yet; trying again in ${wait / 1000} s, as new roles take time`,
      ),
    );
    refusals = 3;
    await assert.rejects(create({ tag: "2" }), /not yet/);
    [refusals, code] = [1, "RequestDisallowedByPolicy"];
    const before = cloud.calls.length;
    await assert.rejects(create({ tag: "3" }), /not yet/);
    assert.equal(cloud.calls.length, before + 1);
  });

  it("does not wait for an operation that hangs once the digest is there", async () => {
    const seen: boolean[] = [];
    cloud.answer = async (call, { settled }) => {
      seen.push((await settled?.()) ?? false);
      cloud.import(call);
      seen.push((await settled?.()) ?? false);
    };
    await create();
    assert.deepEqual(seen, [false, true]);
  });

  it("fails when ARM reports success and the registry holds something else", async () => {
    cloud.answer = () => {
      cloud.held.set(TAG, OTHER);
    };
    await assert.rejects(create(), /holds sha256:/);
  });

  it("trusts ARM, and says so, where the registry cannot be looked into", async () => {
    cloud.closed = closed();
    await create();
    assert.deepEqual(cloud.messages, [
      "info: the digest in the registry is not compared, ARM's word is trusted: the firewall says no",
    ]);
    assert.equal(cloud.held.get(TAG), DIGEST);
  });

  it("imports the digest beside a tag that is taken and cannot be seen", async () => {
    cloud.closed = closed();
    cloud.held.set(TAG, OTHER);
    await create();
    assert.equal(cloud.held.get(TAG), OTHER);
    assert.equal(cloud.held.get(`${REPOSITORY}@${DIGEST}`), DIGEST);
    assert.match(cloud.messages[1] ?? "", /^warning: acme\.azurecr\.io\/.*:1\.23\.0 was there before and stays/);
  });

  it("shows a moved tag as drift, a vanished one as gone, and nothing where it cannot look", async () => {
    const { id } = await create();
    cloud.held.set(TAG, OTHER);
    const moved = await refresh(id, inputs());
    assert.equal(moved?.inputs.digest, OTHER);
    assert.equal(moved?.state.reference, `acme.azurecr.io/${REPOSITORY}@${OTHER}`);
    cloud.closed = closed();
    assert.equal((await refresh(id, inputs()))?.inputs.digest, DIGEST);
    cloud.closed = undefined;
    cloud.held.clear();
    assert.equal(await refresh(id, inputs()), undefined);
  });

  it("is imported into a stack by its id", async () => {
    const { id } = await create();
    const imported = await refresh(id, {});
    assert.deepEqual(imported?.inputs, inputs());
    assert.equal(imported?.id, id);
    const other = await refresh(`${id}?source=quay.io/x/kured:1.23.0`, {});
    assert.equal(other?.inputs.source, "quay.io/x/kured:1.23.0");
    assert.equal(other?.id, id);
    cloud.closed = closed();
    await assert.rejects(
      async () => refresh(id, {}),
      /cannot be read: the firewall says no\. Add it to the id: \.\.\.@<digest>/,
    );
    assert.equal((await refresh(`${id}@${DIGEST}`, {}))?.id, id);
    await assert.rejects(async () => refresh("kured", {}), /"kured" is not <ARM id of the registry>\/images/);
  });

  it("replaces for another place, updates for another digest, and imports only for the latter", async () => {
    const existing = { id: "x", inputs: inputs(), state: {} };
    const diff = (more: Properties) => handler.diff?.(existing, inputs(more), cloud.context);
    assert.deepEqual(await diff({}), { changes: false, replaces: [] });
    assert.deepEqual(await diff({ digest: OTHER }), { changes: true, replaces: [] });
    assert.deepEqual(await diff({ repository: "b", registryId: UNKNOWN }), {
      changes: true,
      replaces: ["registryId", "repository"],
    });
    assert.deepEqual(await diff({ tag: undefined, digest: OTHER }), { changes: true, replaces: ["digest", "tag"] });
    await handler.update?.(existing, inputs({ source: "quay.io/x/kured:1.23.0" }), cloud.context);
    assert.deepEqual(cloud.calls, []);
    await handler.update?.(existing, inputs({ digest: OTHER }), cloud.context);
    assert.equal(cloud.calls.length, 1);
  });

  it("imports again into a registry that was made anew under its name", async () => {
    const { id, state } = await create({ registryCreated: "2026-01-01T00:00:00Z" });
    const existing = { id, inputs: inputs({ registryCreated: "2026-01-01T00:00:00Z" }), state };
    const next = inputs({ registryCreated: "2026-02-01T00:00:00Z" });
    const { changes, replaces } = (await handler.diff?.(existing, next, cloud.context)) ?? {};
    assert.deepEqual([changes, replaces], [true, []]);
    cloud.held.clear();
    cloud.calls.length = 0;
    await handler.update?.(existing, next, cloud.context);
    assert.equal(cloud.calls.length, 1);
    // In a preview a registry that only changes does not tell.
    const unknown = await handler.diff?.(existing, inputs({ registryCreated: UNKNOWN }), cloud.context);
    assert.equal(unknown?.changes, false);
  });

  it("previews the reference where its parts are known", async () => {
    const known = await handler.preview?.(inputs({ registryId: UNKNOWN }), undefined, cloud.context);
    assert.equal(known?.reference, `acme.azurecr.io/${REPOSITORY}@${DIGEST}`);
    const unknown = await handler.preview?.(inputs({ loginServer: UNKNOWN }), undefined, cloud.context);
    assert.equal(unknown?.reference, UNKNOWN);
  });

  it("imports from another Azure registry by its id, out of the repository there", async () => {
    const sourceRegistryId = REGISTRY_ID.replace(/acme$/, "acmedev");
    await create({ sourceRegistryId, sourceRepository: REPOSITORY });
    assert.deepEqual((cloud.calls[0]?.body as { source?: object } | undefined)?.source, {
      resourceId: sourceRegistryId,
      sourceImage: `${REPOSITORY}@${DIGEST}`,
    });
  });

  it("looks for the signature in the registry that it imports from, at the publisher only where that is closed", async () => {
    const publicKey = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" });
    const asked: string[] = [];
    const open = cloud.registry.bind(cloud);
    cloud.registry = (host) => {
      asked.push(host);
      return open(host);
    };
    cloud.answer = ({ method }) =>
      method === "GET" ? { properties: { loginServer: "acmedev.azurecr.io" } } : assert.fail("it was imported");
    const promoted = () =>
      create({ publicKey, sourceRegistryId: REGISTRY_ID.replace(/acme$/, "acmedev"), sourceRepository: REPOSITORY });
    await assert.rejects(promoted(), /is refused: nobody has signed it/);
    assert.deepEqual(asked, ["acmedev.azurecr.io"]);
    cloud.closed = closed();
    await assert.rejects(promoted(), /the firewall says no/);
    assert.deepEqual(asked.slice(1), ["acmedev.azurecr.io", "ghcr.io"]);
    assert.deepEqual(cloud.messages, ["info: the signature is looked for at ghcr.io: the firewall says no"]);
  });

  it("keeps credentials secret, shows them in no fault, and imports nothing anew for other ones", async () => {
    const credentials = { username: "acme", password: "s3cret" };
    const { state } = await create({ credentials });
    assert.deepEqual(state.credentials, new Secret(credentials));
    assert.deepEqual((cloud.calls[0]?.body as { source?: object } | undefined)?.source, {
      registryUri: "ghcr.io",
      credentials,
      sourceImage: `kubereboot/kured@${DIGEST}`,
    });
    const existing = { id: "x", inputs: inputs({ credentials }), state };
    await handler.update?.(existing, inputs({ credentials: { username: "acme", password: "next" } }), cloud.context);
    assert.equal(cloud.calls.length, 1);
    const wrong = await handler.check?.(
      inputs({
        credentials: { username: "acme", password: 5, token: "s3cret" },
        publicKey: "-----BEGIN PRIVATE KEY-----",
      }),
      undefined,
      cloud.context,
      new Uint8Array(),
    );
    assert.deepEqual(wrong?.failures, [
      { property: "", reason: 'credentials has "token", which is none of username, password' },
      { property: "", reason: "credentials has no password that is a text" },
      { property: "", reason: "publicKey is no public key in PEM: -----BEGIN PUBLIC KEY-----" },
    ]);
  });

  it("names every fault of its inputs with the value and the form", async () => {
    assert.deepEqual(await faults({}), []);
    assert.deepEqual(await faults({ registryId: UNKNOWN, loginServer: UNKNOWN, digest: UNKNOWN }), []);
    const many = await faults({
      registryId: "acme",
      loginServer: "https://acme.azurecr.io",
      source: "kured:1",
      digest: "sha256:12",
      repository: "ghcr.io/Kured:1",
      tag: "-x",
      allowMovedTag: "yes",
      extra: 1,
    });
    assert.deepEqual(many, [
      "extra: there is no such property; there are registryId, loginServer, registryCreated, source, digest, repository, tag, allowMovedTag, sourceRegistryId, sourceRepository, credentials, publicKey, attached",
      'registryId: "acme" is not the ARM id of a resource: /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ContainerRegistry/registries/<name>',
      'loginServer: "https://acme.azurecr.io" is not the login server of an Azure container registry, in lower case and without https://: <name>.azurecr.io',
      'source: "kured:1" is not an image with its registry\'s host: ghcr.io/kubereboot/kured:1.23.0',
      'digest: "sha256:12" is not a digest: sha256:<64 hex digits in lower case>',
      'repository: "ghcr.io/Kured:1" is not a repository: parts in lower case between slashes, without tag and digest, such as ghcr.io/kubereboot/kured',
      'tag: "-x" is not a tag: up to 128 letters, digits, dots, dashes and underscores',
      'allowMovedTag: "yes" is neither true nor false',
    ]);
    assert.deepEqual(await faults({ digest: undefined }), ["digest: is missing"]);
    assert.match((await faults({ source: "docker.io/nginx:1" }))[0] ?? "", /write docker\.io\/library\/nginx/);
    assert.match(
      (await faults({ source: `ghcr.io/a/b:1@${DIGEST}` }))[0] ?? "",
      /has a tag and a digest, which ACR refuses/,
    );
    assert.match((await faults({ source: `ghcr.io/a/b@${OTHER}` }))[0] ?? "", /is not the digest in the source/);
  });
});

describe("the limit of imports at once", () => {
  it("halves when the service complains and grows again with successes", async () => {
    const limiter = new Limiter(4, 5);
    let running = 0;
    let most = 0;
    const task = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    };
    const runMany = async (count: number) => {
      most = 0;
      await Promise.all(Array.from({ length: count }, () => limiter.run(task)));
      return most;
    };
    assert.equal(await runMany(4), 4);
    assert.equal(limiter.limit, 5);
    limiter.throttled();
    assert.equal(await runMany(1), 1);
    assert.equal(limiter.limit, 2);
    limiter.throttled();
    limiter.throttled();
    assert.equal(limiter.limit, 1);
    await runMany(20);
    assert.equal(limiter.limit, 5);
  });

  it("frees the room of a task that failed", async () => {
    const limiter = new Limiter(1, 1);
    await assert.rejects(limiter.run(() => Promise.reject(new Error("no"))));
    assert.equal(await limiter.run(async () => "next"), "next");
  });
});
