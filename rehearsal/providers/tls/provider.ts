// The stand-in for Pulumi's tls: private keys.

import { createHash, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { type CheckFailure, type Provider, Secret } from "../../../plugin/handler.ts";
import { drawn } from "../shared/drawn.ts";
import { type Fields, sdkVersion } from "../shared/values.ts";
import { openSsh } from "./openssh.ts";

const ALGORITHMS = ["RSA", "ECDSA", "ED25519"];
const CURVES: Readonly<Record<string, string>> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};

const generate = promisify(generateKeyPair);

const privateKey = drawn({
  defaults: { ecdsaCurve: "P224", rsaBits: 2048 },
  faults,
  async draw(inputs) {
    const pair = await keyPair(inputs);
    const spki = pair.publicKey.export({ type: "spki", format: "der" });
    // The official provider's id: the SHA-1 of the public key.
    return { id: createHash("sha1").update(spki).digest("hex"), state: { ...inputs, ...encodings(pair) } };
  },
});

function faults({ algorithm, ecdsaCurve, rsaBits }: Fields): CheckFailure[] {
  const failures: CheckFailure[] = [];
  if (typeof algorithm !== "symbol" && !ALGORITHMS.includes(String(algorithm))) {
    const reason = `algorithm is ${String(algorithm)}; it must be one of ${ALGORITHMS.join(", ")}`;
    failures.push({ property: "algorithm", reason });
  }
  if (typeof ecdsaCurve !== "symbol" && CURVES[String(ecdsaCurve)] === undefined) {
    const reason = `ecdsaCurve is ${String(ecdsaCurve)}; it must be one of ${Object.keys(CURVES).join(", ")}`;
    failures.push({ property: "ecdsaCurve", reason });
  }
  if (typeof rsaBits !== "symbol" && !Number.isInteger(rsaBits)) {
    failures.push({ property: "rsaBits", reason: `rsaBits is ${String(rsaBits)}; it must be a whole number of bits` });
  }
  return failures;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function keyPair({ algorithm, ecdsaCurve, rsaBits }: Fields): Promise<KeyPair> {
  if (algorithm === "RSA") return generate("rsa", { modulusLength: Number(rsaBits) });
  if (algorithm === "ECDSA") return generate("ec", { namedCurve: CURVES[String(ecdsaCurve)] ?? "" });
  return generate("ed25519");
}

function encodings({ publicKey, privateKey }: KeyPair): Fields {
  const kind = privateKey.asymmetricKeyType;
  const type = kind === "rsa" ? "pkcs1" : kind === "ec" ? "sec1" : "pkcs8";
  const ssh = openSsh(privateKey);
  return {
    privateKeyPem: new Secret(privateKey.export({ type, format: "pem" })),
    privateKeyPemPkcs8: new Secret(privateKey.export({ type: "pkcs8", format: "pem" })),
    privateKeyOpenssh: new Secret(ssh?.privatePem ?? ""),
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }),
    publicKeyOpenssh: ssh?.publicLine ?? "",
    publicKeyFingerprintMd5: ssh?.md5 ?? "",
    publicKeyFingerprintSha256: ssh?.sha256 ?? "",
  };
}

export const tls: Provider = {
  name: "tls",
  version: sdkVersion("tls"),
  resource: (token) => (token === "tls:index/privateKey:PrivateKey" ? privateKey : undefined),
};
