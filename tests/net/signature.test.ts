import { strict as assert } from "node:assert";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, it } from "mocha";
import { checkSignature, cosignTag, parsePublicKey } from "../../net/registry/signature.ts";
import { digestOf } from "../../net/values.ts";

const REPOSITORY = "acme/tool";
const DIGEST = digestOf(Buffer.from("tool"));
const OTHER = digestOf(Buffer.from("tampered"));
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: KeyObject) => String(key.export({ type: "spki", format: "pem" }));
const PEM = pem(publicKey);

/** A registry with manifests by `tag` or digest, and blobs. */
class Source {
  readonly manifests = new Map<string, Buffer>();
  readonly blobs = new Map<string, Buffer>();
  referring: { digest: string; artifactType?: string }[] = [];

  manifest = async (_: string, reference: string) => {
    const body = this.manifests.get(reference);
    return body && { digest: digestOf(body), mediaType: "", body };
  };
  blob = async (_: string, digest: string) => this.blobs.get(digest) ?? assert.fail(`no blob ${digest}`);
  referrers = async () => this.referring;

  put(body: Buffer): string {
    this.blobs.set(digestOf(body), body);
    return digestOf(body);
  }

  /** As `cosign sign --key` did it up to version 2. */
  sign(key: KeyObject, signed: string, payload = simpleSigning(signed)): this {
    const digest = this.put(payload);
    const signature = sign("sha256", payload, key).toString("base64");
    const annotations = { "dev.cosignproject.cosign/signature": signature };
    const mediaType = "application/vnd.dev.cosign.simplesigning.v1+json";
    const tag = cosignTag(DIGEST, "sig");
    const { layers = [] } = JSON.parse(String(this.manifests.get(tag) ?? "{}")) as { layers?: object[] };
    this.manifests.set(tag, json({ layers: [...layers, { mediaType, digest, annotations }] }));
    return this;
  }

  /** As cosign does it since version 3. */
  bundle(key: KeyObject, signed: string, predicateType = "https://sigstore.dev/cosign/sign/v1"): this {
    const statement = json({ predicateType, subject: [{ digest: { sha256: signed.replace("sha256:", "") } }] });
    const payloadType = "application/vnd.in-toto+json";
    const head = `DSSEv1 ${payloadType.length} ${payloadType} ${statement.length} `;
    const sig = sign("sha256", Buffer.concat([Buffer.from(head), statement]), key).toString("base64");
    const dsseEnvelope = { payload: statement.toString("base64"), payloadType, signatures: [{ sig }] };
    const artifactType = "application/vnd.dev.sigstore.bundle.v0.3+json";
    const manifest = json({ layers: [{ mediaType: artifactType, digest: this.put(json({ dsseEnvelope })) }] });
    this.manifests.set(digestOf(manifest), manifest);
    this.referring.push({ digest: digestOf(manifest), artifactType });
    return this;
  }
}

const json = (value: object) => Buffer.from(JSON.stringify(value));
const simpleSigning = (digest: string) =>
  json({
    critical: {
      identity: { "docker-reference": "ghcr.io/acme/tool" },
      image: { "docker-manifest-digest": digest },
      type: "cosign container image signature",
    },
  });

const check = (source: Source, key = PEM) =>
  checkSignature(source, { name: "ghcr.io/acme/tool:1", repository: REPOSITORY, digest: DIGEST }, key);
const refused = (source: Source, why: string, key?: string) =>
  assert.rejects(check(source, key), {
    message: `ghcr.io/acme/tool:1 (${DIGEST}) is refused: ${why}. Ask its makers, pin a digest that is signed, or correct the public key`,
  });

describe("a signature of cosign", () => {
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });

  it("is right where the key signed the digest, among signatures of others too", async () => {
    await check(new Source().sign(privateKey, DIGEST));
    await check(new Source().sign(stranger.privateKey, DIGEST).sign(privateKey, DIGEST));
    await check(new Source().bundle(privateKey, DIGEST));
    await check(new Source().sign(stranger.privateKey, DIGEST).bundle(privateKey, DIGEST));
  });

  it("is right with the other kinds of key", async () => {
    for (const pair of [
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
      generateKeyPairSync("ec", { namedCurve: "P-384" }),
    ])
      await check(new Source().sign(pair.privateKey, DIGEST), pem(pair.publicKey));
    const { privateKey: key, publicKey: open } = generateKeyPairSync("ed25519");
    const source = new Source().sign(privateKey, DIGEST);
    const payload = simpleSigning(DIGEST);
    const manifest = JSON.parse(String(source.manifests.get(cosignTag(DIGEST, "sig"))));
    manifest.layers[0].annotations["dev.cosignproject.cosign/signature"] = sign(null, payload, key).toString("base64");
    source.manifests.set(cosignTag(DIGEST, "sig"), json(manifest));
    await check(source, pem(open));
  });

  it("is refused where nobody signed, or somebody else", async () => {
    await refused(new Source(), "nobody has signed it");
    await refused(new Source().sign(stranger.privateKey, DIGEST), "no signature is of this key for it");
    await refused(new Source().bundle(stranger.privateKey, DIGEST), "no signature is of this key for it");
  });

  it("is refused where the key signed another image", async () => {
    await refused(new Source().sign(privateKey, OTHER), "no signature is of this key for it");
    await refused(new Source().bundle(privateKey, OTHER), "no signature is of this key for it");
  });

  it("is refused where the payload was changed after it was signed", async () => {
    const source = new Source().sign(privateKey, OTHER);
    const tag = cosignTag(DIGEST, "sig");
    const manifest = JSON.parse(String(source.manifests.get(tag)));
    manifest.layers[0].digest = source.put(simpleSigning(DIGEST));
    source.manifests.set(tag, json(manifest));
    await refused(source, "no signature is of this key for it");
  });

  it("is not an attestation, which the same key may make of an image that it does not trust", async () => {
    await refused(
      new Source().bundle(privateKey, DIGEST, "https://cosign.sigstore.dev/attestation/vuln/v1"),
      "no signature is of this key for it",
    );
  });

  it("needs a public key", async () => {
    assert.equal(parsePublicKey(String(privateKey.export({ type: "pkcs8", format: "pem" }))), undefined);
    assert.equal(parsePublicKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), undefined);
    await assert.rejects(check(new Source(), "x"), /the public key for ghcr\.io\/acme\/tool:1 is none: give it in PEM/);
  });
});
