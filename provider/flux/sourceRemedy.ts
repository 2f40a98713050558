// What helps where Flux cannot read a source: which right is missing, at which host, and which setting has it.

import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import type { KubeObject } from "../../net/kubernetesApi.ts";

/** A source's spec, as far as it says where and how Flux signs in. */
interface SourceSpec {
  readonly url?: string;
  readonly endpoint?: string;
  readonly bucketName?: string;
  readonly provider?: string;
  readonly secretRef?: { readonly name?: string };
  readonly verify?: { readonly secretRef?: { readonly name?: string } };
}

/** GitHub says of a private repository that it is not found. */
const GIT_REFUSES =
  /authentication required|authorization failed|repository not found|invalid auth|unable to authenticate|TF401019|organization installation|\/access_tokens|github app/i;

/** Registries say it by the codes of the distribution specification, or by the status alone. */
const REGISTRY_REFUSES = /UNAUTHORIZED|DENIED|NAME_UNKNOWN|unexpected status code (401|403)|\b40[13] (Un|For)/i;

/** Azure Storage's codes: https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes */
const STORAGE_REFUSES =
  /AuthorizationPermissionMismatch|AuthorizationFailure|AuthenticationFailed|NoAuthenticationInformation|ContainerNotFound|bucket '.*' not found/i;

/**
 * What lets Flux read a source; undefined where its problem is no matter of rights.
 * @param problem what the source's Ready condition says, its reason first.
 */
export function sourceRemedy({ kind, metadata, spec }: KubeObject, problem: string): string | undefined {
  const given = (spec ?? {}) as SourceSpec;
  if (kind === "GitRepository")
    return metadata.name === FLUX_SYSTEM ? repositoryRemedy(given, problem) : gitRemedy(metadata.name, given, problem);
  if (kind === "OCIRepository") return registryRemedy(metadata.name, given, problem);
  return kind === "Bucket" ? bucketRemedy(given, problem) : undefined;
}

const INSTALL_APP = "install the GitHub App on the repository with the right Contents: read";

/** Of the repository that all comes from. */
function repositoryRemedy({ url = "", provider }: SourceSpec, problem: string): string | undefined {
  if (/knownhosts:/i.test(problem))
    return "compare the host's keys with those that it publishes, give them as flux.knownHosts, and run `pulumi up`";
  if (!GIT_REFUSES.test(problem)) return undefined;
  if (provider === "azure")
    return "add the service principal of Flux's identity to the organisation, and to the Readers of the repository's project";
  if (provider === "github")
    return `${INSTALL_APP}, compare flux.githubApp with it, give a key of it that is not revoked as aks-gitops:gitKey, and run \`pulumi up\``;
  return url.startsWith("ssh://")
    ? "register the public half of the key at the host with the right to read, or give another one, and run `pulumi up`"
    : "set FLUX_GIT_TOKEN to a token that reads the repository, and run `pulumi up`";
}

function gitRemedy(name: string, { url = "", provider, secretRef }: SourceSpec, problem: string): string | undefined {
  const [host, secret] = [hostIn(url), settingOf(secretRef?.name)];
  if (/knownhosts:/i.test(problem))
    return `compare the keys of ${host} with those that it publishes, and give them as known_hosts of ${secret}`;
  if (!GIT_REFUSES.test(problem)) return undefined;
  if (provider === "azure") {
    const [organization = "", project = ""] = pathIn(url).split("/");
    return (
      `add the service principal of Flux's identity to the organisation ${organization} of Azure DevOps, and to the ` +
      `Readers of its project ${project}`
    );
  }
  if (secretRef?.name === undefined) return nameSecret(name, `reads the repository at ${host}`);
  if (provider === "github") return `${INSTALL_APP}, and compare its ids and its key with those of ${secret}`;
  return url.startsWith("ssh://")
    ? `let ${host} read the repository by the key of ${secret}, or give another key there`
    : `give a token that may read the repository at ${host} as password of ${secret}`;
}

function registryRemedy(
  name: string,
  { url = "", provider, secretRef, verify }: SourceSpec,
  problem: string,
): string | undefined {
  if (/^VerificationError\b/.test(problem))
    return (
      `sign the artifact with a key whose public half is in ${settingOf(verify?.secretRef?.name)}, or give that of ` +
      "who signed it there, as <name>.pub"
    );
  if (!REGISTRY_REFUSES.test(problem)) return undefined;
  const [host, path] = [hostIn(url), pathIn(url)];
  if (provider === "azure") return `give Flux's identity the role AcrPull at the registry ${host}`;
  if (secretRef?.name === undefined) return nameSecret(name, `may pull ${path} from ${host}`);
  return `give credentials that may pull ${path} from ${host} as .dockerconfigjson of ${settingOf(secretRef.name)}`;
}

function bucketRemedy({ endpoint = "", bucketName }: SourceSpec, problem: string): string | undefined {
  if (!STORAGE_REFUSES.test(problem)) return undefined;
  return `give Flux's identity the role Storage Blob Data Reader of the container ${bucketName} at ${hostIn(endpoint)}`;
}

const settingOf = (secret: string | undefined): string => `the secret ${secret} (aks-gitops:secrets)`;

const nameSecret = (source: string, what: string): string =>
  `name a secret that ${what} with the source ${source} (aks-gitops:flux.sources)`;

const hostIn = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);

const pathIn = (url: string): string => (URL.canParse(url) ? decodeURIComponent(new URL(url).pathname).slice(1) : url);
