// Signatures by cosign's own library, in the version that Flux's source-controller has: a judge that nobody here wrote.

import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { cosignTag } from "../../../net/registry/signature.ts";
import { digestOf } from "../../../net/values.ts";
import { imageImportIn } from "../../../provider/mirror/imageImport.ts";
import { MEDIA } from "../../../rehearsal/cloud/registry/protocol.ts";
import { imageContent } from "../../../rehearsal/content/image.ts";
import { findTool } from "../../../tools/findTool.ts";
import { artifact, ROLES } from "../../rehearsal/cloud/registry/support.ts";
import { SimulatedRegistry } from "./simulated.ts";

const IMAGE = "ghcr.io/kubereboot/kured:1.23.0";
const REPOSITORY = "ghcr.io/kubereboot/kured";
const { digest: DIGEST } = imageContent(IMAGE);
const OTHER = digestOf(Buffer.from("another image"));
const TAG = cosignTag(DIGEST, "sig");
const PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json";
const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";

const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PUBLIC = String(own.publicKey.export({ type: "spki", format: "pem" }));

const bytes = (value: object) => Buffer.from(JSON.stringify(value));
const payloadOf = (digest: string) =>
  bytes({
    critical: {
      identity: { "docker-reference": "ghcr.io/kubereboot/kured" },
      image: { "docker-manifest-digest": digest },
      type: "cosign container image signature",
    },
    optional: null,
  });

interface Attached {
  readonly digest: string;
  readonly tag?: string;
}

describe("a signature, as cosign's library sees it", () => {
  let verifier: string;
  let folder: string;
  let cloud: SimulatedRegistry;
  before(async function () {
    this.timeout(600_000);
    verifier = await findTool("cosign-verify");
    folder = await mkdtemp(join(tmpdir(), "cosign-"));
    await writeFile(join(folder, "key.pub"), PUBLIC);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    cloud = await SimulatedRegistry.start();
    cloud.registries.roles.set("puller", ROLES.AcrPull);
    cloud.registries.upstream.add(imageContent(IMAGE));
  });
  afterEach(() => cloud.close());

  function publish(tags: string[], blobs: Buffer[], manifest: Buffer): void {
    const manifests = [{ mediaType: MEDIA.ociManifest, body: manifest }];
    cloud.registries.upstream.add({ registry: "ghcr.io", repository: "kubereboot/kured", tags, blobs, manifests });
  }

  /** Under the image's tag, as cosign did it up to version 2. @param payload what stands there beside the signature. */
  function tagged(key: KeyObject, signed: Buffer, payload = signed): Attached[] {
    const annotations = { "dev.cosignproject.cosign/signature": sign("sha256", signed, key).toString("base64") };
    const layers = [{ mediaType: PAYLOAD, digest: digestOf(payload), size: payload.length, annotations }];
    const { config, manifest, digest } = artifact("signature", { layers });
    publish([TAG], [config, payload], manifest);
    return [{ digest, tag: TAG }];
  }

  /** As a bundle that refers to the image, as cosign does it since version 3. @param said what it is told to be of. */
  function bundled(key: KeyObject, signed: string, said = signed): Attached[] {
    const statement = (of: string) =>
      bytes({
        _type: "https://in-toto.io/Statement/v1",
        predicateType: "https://sigstore.dev/cosign/sign/v1",
        subject: [{ digest: { sha256: of.replace("sha256:", "") } }],
        predicate: {},
      });
    const payloadType = "application/vnd.in-toto+json";
    const body = statement(signed);
    const head = `DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `;
    const sig = sign("sha256", Buffer.concat([Buffer.from(head), body]), key).toString("base64");
    const bundle = bytes({
      mediaType: BUNDLE,
      verificationMaterial: { publicKey: { hint: "" }, tlogEntries: [] },
      dsseEnvelope: { payload: statement(said).toString("base64"), payloadType, signatures: [{ sig }] },
    });
    const layers = [{ mediaType: BUNDLE, digest: digestOf(bundle), size: bundle.length }];
    const subject = { mediaType: MEDIA.ociIndex, digest: DIGEST, size: 1 };
    const { config, manifest, digest } = artifact("bundle", { layers, subject, artifactType: BUNDLE });
    publish([], [config, bundle], manifest);
    return [{ digest }];
  }

  const create = (attached: Attached[], publicKey?: string) =>
    imageImportIn(cloud, { clock: cloud.clock }).create(
      {
        registryId: cloud.target.id,
        loginServer: cloud.target.loginServer,
        source: IMAGE,
        digest: DIGEST,
        repository: REPOSITORY,
        tag: "1.23.0",
        attached: attached.map((one) => ({ ...one })),
        ...(publicKey !== undefined && { publicKey }),
      },
      cloud.context,
    );

  /** What the judge says of the image in the target. */
  async function judge(): Promise<{ code: number | null; text: string }> {
    const host = new URL(cloud.origin("fleet.azurecr.io")).host;
    const args = ["-user", "puller", "-key", join(folder, "key.pub"), `${host}/${REPOSITORY}@${DIGEST}`];
    const child = spawn(verifier, args, { stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.end("secret of puller\n");
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
    const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    return { code, text };
  }

  const RIGHT: Record<string, () => Attached[]> = {
    "under the image's tag": () => tagged(own.privateKey, payloadOf(DIGEST)),
    "in a bundle": () => bundled(own.privateKey, DIGEST),
  };
  for (const [where, make] of Object.entries(RIGHT))
    it(`is right in the registry after the import: ${where}`, async () => {
      await create(make(), PUBLIC);
      assert.deepEqual(await judge(), { code: 0, text: "signed: 1\n" });
    });

  const WRONG: Record<string, () => Attached[]> = {
    "a payload that was changed after it was signed": () => tagged(own.privateKey, payloadOf(OTHER), payloadOf(DIGEST)),
    "a signature of another image under this one's tag": () => tagged(own.privateKey, payloadOf(OTHER)),
    "somebody else's key": () => tagged(stranger.privateKey, payloadOf(DIGEST)),
    "a bundle that was changed after it was signed": () => bundled(own.privateKey, OTHER, DIGEST),
    "a bundle of another image": () => bundled(own.privateKey, OTHER),
    "somebody else's bundle": () => bundled(stranger.privateKey, DIGEST),
    "no signature": () => [],
  };
  for (const [what, make] of Object.entries(WRONG))
    it(`is refused before the import, and by the judge where no key was given for it: ${what}`, async () => {
      const attached = make();
      await assert.rejects(create(attached, PUBLIC), /is refused: (nobody has signed it|no signature is of this key)/);
      assert.deepEqual(cloud.requests, []);
      await create(attached);
      const { code, text } = await judge();
      assert.equal(code, 1, text);
      assert.match(text, /^refused: /);
    });

  it("cannot be asked for where the image cannot be read", async () => {
    const { code, text } = await judge();
    assert.equal(code, 2, text);
  });
});
