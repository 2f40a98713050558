// Private SSH keys, as ssh-keygen and openssl write them: what kind they are, and their public halves.
import { createPublicKey, type JsonWebKey } from "node:crypto";

/** The public half of a key. */
export interface SshPublicKey {
  /** As SSH names the algorithm: `ssh-rsa`, `ssh-ed25519`, `ecdsa-sha2-nistp256`. */
  readonly type: string;
  /** As OpenSSH writes it, in a line without its end. */
  readonly line: string;
}

/**
 * The public half of a private key.
 * @throws Error that says why the text is none that Flux and SSH can use, and shows nothing of it.
 */
export function publicKeyOf(privateKey: string): SshPublicKey {
  const [, label = "", body = ""] =
    /^-----BEGIN ([A-Z ]*PRIVATE KEY)-----\r?\n([\s\S]*?)-----END \1-----\s*$/.exec(privateKey.trimStart()) ?? [];
  if (label === "") throw new Error("is no private key in PEM");
  if (label.startsWith("ENCRYPTED") || body.includes("ENCRYPTED")) throw new Error(PASSPHRASE);
  const blob = label === "OPENSSH PRIVATE KEY" ? openSshBlob(body) : pemBlob(privateKey);
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString();
  return { type, line: `${type} ${blob.toString("base64")}` };
}

const PASSPHRASE = "has a passphrase, and nobody is there to type it";

/** https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function openSshBlob(body: string): Buffer {
  const bytes = Buffer.from(body, "base64");
  const magic = "openssh-key-v1\0";
  if (bytes.subarray(0, magic.length).toString() !== magic) throw new Error("is no key of OpenSSH");
  let at = magic.length;
  const next = (): Buffer => {
    const length = bytes.length >= at + 4 ? bytes.readUInt32BE(at) : bytes.length;
    if (at + 4 + length > bytes.length) throw new Error("is no whole key of OpenSSH");
    const part = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return part;
  };
  const [cipher] = [next(), next(), next()];
  if (cipher?.toString() !== "none") throw new Error(PASSPHRASE);
  at += 4; // how many keys: one
  return next();
}

function pemBlob(pem: string): Buffer {
  return blobOf(jwkOf(pem));
}

function jwkOf(pem: string): JsonWebKey {
  try {
    return createPublicKey(pem).export({ format: "jwk" });
  } catch {
    throw new Error("is no private key that can be read");
  }
}

/** https://www.rfc-editor.org/rfc/rfc4253#section-6.6, rfc5656 and rfc8709 */
function blobOf({ kty, crv = "", n = "", e = "", x = "", y = "" }: JsonWebKey): Buffer {
  if (kty === "RSA") return joined(Buffer.from("ssh-rsa"), integer(bytes(e)), integer(bytes(n)));
  const curve = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" }[crv];
  if (curve !== undefined)
    return joined(
      Buffer.from(`ecdsa-sha2-${curve}`),
      Buffer.from(curve),
      Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]),
    );
  if (crv === "Ed25519") return joined(Buffer.from("ssh-ed25519"), bytes(x));
  throw new Error("is a key of a kind that SSH does not use");
}

const bytes = (text: string): Buffer => Buffer.from(text, "base64url");

/** A number with its highest bit set would be a negative one. */
const integer = (value: Buffer): Buffer => ((value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), value]) : value);

function joined(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
