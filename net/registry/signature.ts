// Signatures that cosign makes with a key, read from the registry that an image or chart comes from: under the tag
// `sha256-<hex>.sig` (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md), or as a bundle that refers to
// the manifest (https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md).

import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { isMap } from "../values.ts";
import type { RegistryClient } from "./client.ts";

/** What of a registry is read. */
type Source = Pick<RegistryClient, "manifest" | "blob" | "referrers">;

const PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE = "dev.cosignproject.cosign/signature";
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle\.v0\.3\+json$/;

/** More signatures of one image are not looked at. */
const MOST = 50;

/** The tag under which cosign keeps something of a manifest. @param kind `sig`, `att` or `sbom`. */
export function cosignTag(digest: string, kind: string): string {
  return `${digest.replace(":", "-")}.${kind}`;
}

/** A public key in PEM; undefined for a text that is none, a private key among them. */
export function parsePublicKey(pem: string): KeyObject | undefined {
  if (!/^-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem.trim())) return undefined;
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

/**
 * Checks that somebody signed a manifest with the private half of a key.
 * @param name for errors, the image as people write it.
 * @param publicKey in PEM.
 * @throws Error when no signature of the key is there for this digest; RegistryError when the registry cannot be read.
 */
export async function checkSignature(
  registry: Source,
  { name, repository, digest }: { readonly name: string; readonly repository: string; readonly digest: string },
  publicKey: string,
): Promise<void> {
  const key = parsePublicKey(publicKey);
  if (key === undefined) throw new Error(`the public key for ${name} is none: give it in PEM, as cosign writes it`);
  const tagged = await ofTag(registry, repository, digest, key);
  if (tagged === "signed") return;
  const bundled = await ofBundles(registry, repository, digest, key);
  if (bundled === "signed") return;
  const found = tagged === "none" && bundled === "none" ? "nobody has signed it" : "no signature is of this key for it";
  throw new Error(
    `${name} (${digest}) is refused: ${found}. Ask its makers, pin a digest that is signed, or correct the public key`,
  );
}

type Outcome = "signed" | "other" | "none";

async function ofTag(registry: Source, repository: string, digest: string, key: KeyObject): Promise<Outcome> {
  const found = await registry.manifest(repository, cosignTag(digest, "sig"));
  const layers = found === undefined ? [] : layersOf(found.body).slice(0, MOST);
  for (const { mediaType, digest: blob, annotations } of layers) {
    const signature = isMap(annotations) ? annotations[SIGNATURE] : undefined;
    if (mediaType !== PAYLOAD || typeof blob !== "string" || typeof signature !== "string") continue;
    const payload = await registry.blob(repository, blob);
    if (isSigned(payload, signature, key) && payloadDigest(payload) === digest) return "signed";
  }
  return layers.length === 0 ? "none" : "other";
}

/** What cosign's payload says that was signed. */
function payloadDigest(payload: Buffer): unknown {
  const content = json(payload);
  const critical = isMap(content) && isMap(content.critical) ? content.critical : {};
  return isMap(critical.image) ? critical.image["docker-manifest-digest"] : undefined;
}

async function ofBundles(registry: Source, repository: string, digest: string, key: KeyObject): Promise<Outcome> {
  const referrers = await registry.referrers(repository, digest);
  const bundles = referrers.filter(({ artifactType = "" }) => BUNDLE.test(artifactType)).slice(0, MOST);
  for (const { digest: reference } of bundles) {
    const found = await registry.manifest(repository, reference);
    const [layer] = found === undefined ? [] : layersOf(found.body);
    if (typeof layer?.digest !== "string") continue;
    if (isSignedBundle(await registry.blob(repository, layer.digest), digest, key)) return "signed";
  }
  return bundles.length === 0 ? "none" : "other";
}

/** A bundle holds a DSSE envelope (https://github.com/secure-systems-lab/dsse) around an in-toto statement. */
function isSignedBundle(bundle: Buffer, digest: string, key: KeyObject): boolean {
  const content = json(bundle);
  const envelope = isMap(content) && isMap(content.dsseEnvelope) ? content.dsseEnvelope : {};
  const { payload, payloadType, signatures } = envelope;
  if (typeof payload !== "string" || typeof payloadType !== "string" || !Array.isArray(signatures)) return false;
  const body = Buffer.from(payload, "base64");
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `;
  const signed = Buffer.concat([Buffer.from(head), body]);
  if (!signatures.some((one) => isMap(one) && typeof one.sig === "string" && isSigned(signed, one.sig, key)))
    return false;
  const statement = json(body);
  // An attestation of the same key says something of the image, not that it is to be trusted.
  if (!isMap(statement) || statement.predicateType !== "https://sigstore.dev/cosign/sign/v1") return false;
  const subjects = Array.isArray(statement.subject) ? statement.subject.filter(isMap) : [];
  return subjects.some((subject) => isMap(subject.digest) && `sha256:${String(subject.digest.sha256)}` === digest);
}

function isSigned(content: Buffer, signature: string, key: KeyObject): boolean {
  // Ed25519 hashes by itself.
  const algorithm = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  return verify(algorithm, content, key, Buffer.from(signature, "base64"));
}

function layersOf(manifest: Buffer): Record<string, unknown>[] {
  const content = json(manifest);
  return isMap(content) && Array.isArray(content.layers) ? content.layers.filter(isMap) : [];
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
