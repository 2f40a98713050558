// X.509 certificates (RFC 5280) with EC P-256 keys, written as DER: only what a local authority and its servers need.
import { createHash, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface CertificateRequest {
  /** Common name of the subject. */
  readonly subject: string;
  readonly publicKey: KeyObject;
  /** Common name of the issuer, and the key it signs with. */
  readonly issuer: string;
  readonly issuerPrivateKey: KeyObject;
  readonly issuerPublicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The hosts and IPv4 addresses that a server's certificate is for; without any the certificate is an authority's. */
  readonly hosts?: readonly string[];
}

const oid = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  subjectKeyIdentifier: "551d0e",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  authorityKeyIdentifier: "551d23",
  extKeyUsage: "551d25",
  serverAuth: "2b06010505070301",
};

/** Signs a certificate. @returns it as PEM. */
export function certificate(request: CertificateRequest): string {
  const algorithm = sequence(objectId(oid.ecdsaWithSha256));
  const body = sequence(
    element(0xa0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    algorithm,
    name(request.issuer),
    sequence(time(request.notBefore), time(request.notAfter)),
    name(request.subject),
    request.publicKey.export({ type: "spki", format: "der" }),
    element(0xa3, sequence(...extensions(request))),
  );
  const signature = sign("sha256", body, request.issuerPrivateKey);
  const der = sequence(body, algorithm, bitString(signature, 0));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

function extensions(request: CertificateRequest): Buffer[] {
  const identifiers = [
    extension(oid.subjectKeyIdentifier, false, octets(keyIdentifier(request.publicKey))),
    extension(oid.authorityKeyIdentifier, false, sequence(element(0x80, keyIdentifier(request.issuerPublicKey)))),
  ];
  if (request.hosts === undefined) {
    return [
      extension(oid.basicConstraints, true, sequence(element(0x01, Buffer.from([0xff])))),
      // keyCertSign and cRLSign
      extension(oid.keyUsage, true, bitString(Buffer.from([0x06]), 1)),
      ...identifiers,
    ];
  }
  return [
    extension(oid.basicConstraints, true, sequence()),
    // digitalSignature
    extension(oid.keyUsage, true, bitString(Buffer.from([0x80]), 7)),
    extension(oid.extKeyUsage, false, sequence(objectId(oid.serverAuth))),
    extension(oid.subjectAltName, false, sequence(...request.hosts.map(generalName))),
    ...identifiers,
  ];
}

/** A dNSName or, for an IPv4 address, an iPAddress. */
function generalName(host: string): Buffer {
  return isIPv4(host)
    ? element(0x87, Buffer.from(host.split(".").map(Number)))
    : element(0x82, Buffer.from(host, "ascii"));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const mark = critical ? [element(0x01, Buffer.from([0xff]))] : [];
  return sequence(objectId(id), ...mark, octets(value));
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();
}

function name(commonName: string): Buffer {
  const value = element(0x0c, Buffer.from(commonName, "utf8"));
  return sequence(element(0x31, sequence(objectId(oid.commonName), value)));
}

/** UTCTime up to 2049, as RFC 5280 section 4.1.2.5 wants it; later dates are not needed here. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  return element(0x17, Buffer.from(digits.slice(2), "ascii"));
}

/** A positive INTEGER in its shortest form. */
function integer(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const short = bytes.subarray(start);
  return element(0x02, (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short);
}

function objectId(hex: string): Buffer {
  return element(0x06, Buffer.from(hex, "hex"));
}

function octets(value: Buffer): Buffer {
  return element(0x04, value);
}

function bitString(value: Buffer, unusedBits: number): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([unusedBits]), value]));
}

function sequence(...parts: Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function element(tag: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(value.length), value]);
}

function length(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
