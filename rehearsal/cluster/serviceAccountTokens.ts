// Tokens of service accounts in files, as the kubelet projects them into pods: kept fresh while they are needed.
import { rename, writeFile } from "node:fs/promises";
import type { ClusterApi } from "./api.ts";

/** Seconds that a token lives; the kubelet's default. */
const LIFETIME = 3607;
/** How often each token is replaced, in milliseconds: long before it ends. */
const RENEWAL = 20 * 60 * 1000;

export interface TokenFileOptions {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Default: the API server. */
  readonly audience?: string;
  readonly file: string;
}

/** A token file; `close` ends its renewal. */
export interface TokenFile {
  close(): void;
}

/**
 * Writes a service account's token into a file and replaces it now and then.
 * @param onError told when a renewal fails; the file keeps the older token, and the next renewal tries again.
 * @throws KubernetesError where the service account is missing.
 */
export async function keepToken(
  api: ClusterApi,
  options: TokenFileOptions,
  onError: (error: Error) => void,
): Promise<TokenFile> {
  await writeToken(api, options);
  const timer = setInterval(() => void writeToken(api, options).catch(onError), RENEWAL);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

async function writeToken(api: ClusterApi, options: TokenFileOptions): Promise<void> {
  const { namespace, serviceAccount, audience, file } = options;
  const answer = await api.create<{ status: { token: string } }>(
    `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`,
    {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: LIFETIME, ...(audience !== undefined && { audiences: [audience] }) },
    },
  );
  // Under another name first: whoever reads the file finds a whole token.
  await writeFile(`${file}.new`, answer.status.token, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
