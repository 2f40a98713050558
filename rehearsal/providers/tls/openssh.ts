// OpenSSH's encodings of keys: RFC 4253 and 5656 for public ones, OpenSSH's PROTOCOL.key for private ones.

import { createHash, type JsonWebKey, type KeyObject, randomBytes } from "node:crypto";

/** A key's parts on the wire: its type, the public fields, and the private ones as PROTOCOL.key orders them. */
interface Parts {
  readonly type: string;
  readonly public: readonly Buffer[];
  readonly private: readonly Buffer[];
}

const CURVES: Readonly<Record<string, { name: string; bytes: number }>> = {
  "P-256": { name: "nistp256", bytes: 32 },
  "P-384": { name: "nistp384", bytes: 48 },
  "P-521": { name: "nistp521", bytes: 66 },
};

export interface OpenSshKey {
  /** One line as in `authorized_keys`, without a comment, ending in a newline. */
  readonly publicLine: string;
  readonly privatePem: string;
  /** `aa:bb:...` */
  readonly md5: string;
  /** `SHA256:...` */
  readonly sha256: string;
}

/** A private key in OpenSSH's encodings; undefined for a curve that OpenSSH has not (P-224). */
export function openSsh(key: KeyObject): OpenSshKey | undefined {
  const parts = partsOf(key);
  if (parts === undefined) return undefined;
  const blob = Buffer.concat([string(parts.type), ...parts.public.map(string)]);
  const md5 = createHash("md5").update(blob).digest("hex");
  const sha256 = createHash("sha256").update(blob).digest("base64").replace(/=+$/, "");
  return {
    publicLine: `${parts.type} ${blob.toString("base64")}\n`,
    privatePem: pem(privateBlob(parts, blob)),
    md5: md5.replace(/..(?!$)/g, "$&:"),
    sha256: `SHA256:${sha256}`,
  };
}

function partsOf(key: KeyObject): Parts | undefined {
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "secp224r1") return undefined;
  const jwk = key.export({ format: "jwk" });
  switch (jwk.kty) {
    case "RSA":
      return rsa(jwk);
    case "EC":
      return ecdsa(jwk);
    default:
      return ed25519(jwk);
  }
}

function rsa({ n, e, d, p, q, qi }: JsonWebKey): Parts {
  return { type: "ssh-rsa", public: [mpint(e), mpint(n)], private: [n, e, d, qi, p, q].map(mpint) };
}

function ecdsa({ crv = "", x, y, d }: JsonWebKey): Parts {
  const curve = CURVES[crv];
  if (curve === undefined) throw new Error(`OpenSSH has no curve ${crv}`);
  const point = Buffer.concat([Buffer.of(4), fixed(x, curve.bytes), fixed(y, curve.bytes)]);
  const shared = [Buffer.from(curve.name), point];
  return { type: `ecdsa-sha2-${curve.name}`, public: shared, private: [...shared, mpint(d)] };
}

function ed25519({ x, d }: JsonWebKey): Parts {
  const publicKey = decode(x);
  return { type: "ssh-ed25519", public: [publicKey], private: [publicKey, Buffer.concat([decode(d), publicKey])] };
}

function privateBlob(parts: Parts, publicBlob: Buffer): Buffer {
  const check = randomBytes(4);
  const comment = string("");
  const secret = Buffer.concat([check, check, string(parts.type), ...parts.private.map(string), comment]);
  // Padded to the block size of "none", which is 8, with 1, 2, 3, ...
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, at) => at + 1));
  return Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string("none"),
    string("none"),
    string(""),
    uint32(1),
    string(publicBlob),
    string(Buffer.concat([secret, padding])),
  ]);
}

function pem(body: Buffer): string {
  const lines = body.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function string(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A positive integer: no leading zeros, but one where the first bit would make it negative. */
function mpint(value: string | undefined): Buffer {
  const bytes = decode(value);
  const start = bytes.findIndex((byte) => byte !== 0);
  const trimmed = start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
  return (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed;
}

function fixed(value: string | undefined, length: number): Buffer {
  const bytes = decode(value);
  return Buffer.concat([Buffer.alloc(Math.max(0, length - bytes.length)), bytes]);
}

function decode(value: string | undefined): Buffer {
  return Buffer.from(value ?? "", "base64url");
}
