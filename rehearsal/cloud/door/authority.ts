// The certificate authority of one rehearsal: trusted by its processes alone, its key never leaves the memory.
import { generateKeyPair, type KeyObject } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { promisify } from "node:util";
import { certificate } from "./certificate.ts";

const generate = promisify(generateKeyPair);
const DAY = 24 * 60 * 60 * 1000;

/** Makes certificates for any host on demand. */
export class Authority {
  /** The authority's own certificate as PEM: what NODE_EXTRA_CA_CERTS, SSL_CERT_FILE and GIT_SSL_CAINFO name. */
  readonly pem: string;
  readonly #name: string;
  readonly #publicKey: KeyObject;
  readonly #privateKey: KeyObject;
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  private constructor(name: string, publicKey: KeyObject, privateKey: KeyObject) {
    this.#name = name;
    this.#publicKey = publicKey;
    this.#privateKey = privateKey;
    this.pem = this.#sign(name, publicKey, 3650);
  }

  /**
   * A new authority with a key of its own.
   * @param name its common name; default `aks-gitops rehearsal`.
   */
  static async create(name = "aks-gitops rehearsal"): Promise<Authority> {
    const { publicKey, privateKey } = await generate("ec", { namedCurve: "P-256" });
    return new Authority(name, publicKey, privateKey);
  }

  /** What a TLS server of this host needs; made once per host. */
  context(host: string): Promise<SecureContext> {
    const key = host.toLowerCase();
    let context = this.#contexts.get(key);
    if (!context) {
      context = this.#leaf(key);
      this.#contexts.set(key, context);
    }
    return context;
  }

  async #leaf(host: string): Promise<SecureContext> {
    const { publicKey, privateKey } = await generate("ec", { namedCurve: "P-256" });
    return createSecureContext({
      cert: this.#sign(host, publicKey, 365, host),
      key: privateKey.export({ type: "pkcs8", format: "pem" }),
      minVersion: "TLSv1.2",
    });
  }

  #sign(subject: string, publicKey: KeyObject, days: number, host?: string): string {
    return certificate({
      subject,
      publicKey,
      issuer: this.#name,
      issuerPrivateKey: this.#privateKey,
      issuerPublicKey: this.#publicKey,
      // A day back, for clients whose clock is behind.
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + days * DAY),
      ...(host === undefined ? {} : { hosts: [host] }),
    });
  }
}
