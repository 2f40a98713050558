// What the cluster's parts trust and who they are: keys and tokens made for one rehearsal.
import { generateKeyPair, type KeyObject, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { certificate } from "../cloud/door/certificate.ts";

const generate = promisify(generateKeyPair);
const DAY = 24 * 60 * 60 * 1000;

/** The users of the control plane's own parts; none of them is what a rehearsal is about. */
const parts = ["rehearsal-admin", "system:kube-controller-manager", "system:kube-scheduler", "kwok"] as const;
export type Part = (typeof parts)[number];

export interface Credentials {
  readonly certificateAuthority: string;
  readonly tokens: Readonly<Record<Part, string>>;
  readonly files: {
    readonly authority: string;
    readonly certificate: string;
    readonly key: string;
    readonly serviceAccountKey: string;
    readonly tokens: string;
  };
}

const pem = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" });

/**
 * Makes an authority and a server certificate, the key of service account tokens and the parts' tokens.
 * @param folder where they are written, readable by the owner alone.
 * @param hosts names and IPv4 addresses of the API server.
 */
export async function makeCredentials(folder: string, hosts: readonly string[]): Promise<Credentials> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [authority, server, serviceAccounts] = await Promise.all([
    generate("ec", { namedCurve: "P-256" }),
    generate("ec", { namedCurve: "P-256" }),
    // RSA: Entra accepts nothing else in a client assertion.
    generate("rsa", { modulusLength: 2048 }),
  ]);
  const signed = {
    issuer: "ca",
    issuerPublicKey: authority.publicKey,
    issuerPrivateKey: authority.privateKey,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + 3650 * DAY),
  };
  const certificateAuthority = certificate({ ...signed, subject: "ca", publicKey: authority.publicKey });
  const serverCertificate = certificate({ ...signed, subject: "apiserver", publicKey: server.publicKey, hosts });
  const tokens = Object.fromEntries(parts.map((name) => [name, randomBytes(32).toString("base64url")]));
  const write = async (name: string, content: string | Buffer) => {
    const file = join(folder, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  return {
    certificateAuthority,
    tokens: tokens as Credentials["tokens"],
    files: {
      authority: await write("authority.pem", certificateAuthority),
      certificate: await write("server.pem", serverCertificate),
      key: await write("server.key", pem(server.privateKey)),
      serviceAccountKey: await write("service-accounts.key", pem(serviceAccounts.privateKey)),
      tokens: await write(
        "tokens.csv",
        parts.map((name) => `${tokens[name]},${name},${name},system:masters\n`).join(""),
      ),
    },
  };
}

export interface KubeconfigOptions {
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority?: string;
  /** The one user's way to prove who it is. */
  readonly user: object;
  /** The context's name. @default "rehearsal" */
  readonly context?: string | undefined;
}

/** The text of a kubeconfig with one cluster and one user. */
export function kubeconfig(options: KubeconfigOptions): string {
  const { server, certificateAuthority, user, context = "rehearsal" } = options;
  const authority =
    certificateAuthority === undefined
      ? {}
      : { "certificate-authority-data": Buffer.from(certificateAuthority).toString("base64") };
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "rehearsal", cluster: { server, ...authority } }],
    users: [{ name: "rehearsal", user }],
    contexts: [{ name: context, context: { cluster: "rehearsal", user: "rehearsal" } }],
    "current-context": context,
  });
}
