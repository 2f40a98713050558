import * as pulumi from "@pulumi/pulumi";
import { saidOptions } from "../../flux/installOptions.ts";
import type { LockedFlux } from "../../mirror/lock.ts";
import { commitUrl } from "../../net/gitAddress.ts";
import { appKeyProblem } from "../../net/gitHubApp.ts";
import {
  type ArtifactSecretArgs,
  type DecryptSecretArgs,
  FluxInstall,
  type PullSecretArgs,
  type ReadingAppArgs,
  type SshKeyArgs,
} from "../../provider/sdk/fluxInstall.ts";
import { FluxReady } from "../../provider/sdk/fluxReady.ts";
import type { ApiAccess } from "../cluster/apiAccess.ts";
import { FLUX, SECRET } from "../defaults.ts";
import type { PullCredentials } from "../registry/pullCredentials.ts";
import { type Artifact, isOfArtifact, rootArtifact } from "../repository/artifact.ts";
import { readyNames } from "../repository/kustomizations.ts";
import { chartObjects, DECRYPT_SECRET, PULL_SECRET, rootKustomization } from "../repository/names.ts";
import { sourceNames } from "../repository/sources.ts";
import { after } from "../shared/after.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import type { DecryptCredentials } from "../vault/decryptPrincipal.ts";
import type { SecretArgs } from "./contentArgs.ts";
import type { FluxParts } from "./fluxParts.ts";
import { gitAccessOf } from "./gitAccess.ts";
import { type ReadingKey, readingKey, readsBySsh } from "./readingKey.ts";

/** What a bootstrap needs beside what every way to bring Flux starts from. */
export interface BootstrapParts extends FluxParts {
  /** Where Flux is installed through. */
  readonly access: ApiAccess;
  /** The Flux to install. */
  readonly flux: LockedFlux;
  /** The repository's address as Flux reads it. */
  readonly fluxUrl: string;
  /** `azure`: the controllers' identity reads it; `github`: a GitHub App. */
  readonly provider?: "azure" | "github" | undefined;
  /** What Flux reads in place of the repository. */
  readonly artifact?: Artifact | undefined;
}

/**
 * Flux by its own bootstrap, which reads the repository with a token, with a key or as its own identity.
 * @returns the commit, when all that it promises is Ready.
 */
export function installBootstrap(parts: BootstrapParts): pulumi.Output<string> {
  const { name, args, access, commit, parent } = parts;
  const install = createInstall(parts);
  const ready = new FluxReady(
    name,
    {
      ...(access.kubeContext === undefined ? {} : { kubeContext: access.kubeContext }),
      endpoint: after(access.endpoint, install),
      certificateAuthority: access.certificateAuthority,
      commit: commit.commit,
      kustomizations: [rootKustomization("bootstrap"), ...readyNames(args)],
      ...objectsOf(args),
      ...(args.artifact ? { artifact: pushedOf(args, args.artifact) } : {}),
      readyMinutes: args.readyMinutes,
    },
    { parent },
  );
  return after(commit.commit, ready);
}

/** What Flux is given beside Kustomizations. */
function objectsOf({ charts = [], pullCredentials, sources = [] }: FluxParts["args"]) {
  const objects = chartObjects(charts, Boolean(pullCredentials));
  return { ...objects, sources: [...objects.sources, ...sourceNames(sources)] };
}

/** The artifact as Flux reads it. */
function readOf({ loginServer, identity, imagePullSecret }: FluxParts["args"], artifact: Artifact) {
  const hasIdentity = identity !== undefined;
  return pulumi
    .output(loginServer)
    .apply((server) => rootArtifact(artifact, { loginServer: server, hasIdentity, imagePullSecret }));
}

/** The artifact as the pipeline pushes it. */
function pushedOf(args: FluxParts["args"], artifact: Artifact) {
  const access = gitAccessOf(args);
  const place = { source: commitUrl(args.address), branch: args.branch, ...(access ? { access } : {}) };
  return readOf(args, artifact).apply(({ url, tag }) => ({ url, ...(tag === undefined ? {} : { tag }), ...place }));
}

/** Given straight, as it cannot come from the artifact: a rotation needs no commit. */
function artifactSecretOf({ name, type = SECRET.type, data = SECRET.data }: SecretArgs): ArtifactSecretArgs {
  const values = Object.entries(data).map(([key, value]) => [key, pulumi.secret(value)] as const);
  return { name, type, data: Object.fromEntries(values) };
}

function createInstall(parts: BootstrapParts): FluxInstall {
  const { name, args, access, flux, fluxUrl, provider, artifact, repository, commit, parent } = parts;
  const artifactSecrets = (args.secrets ?? []).filter((secret) => isOfArtifact(artifact, secret)).map(artifactSecretOf);
  const { identity, branch, path, imageAutomation, readyMinutes } = args;
  const { interval, recurseSubmodules } = args;
  const install = saidOptions(args.install);
  // Deleted before all of these, so that Flux is still in Git, and this may still reach it, when it is uninstalled.
  const needed = [...grantDeployers(parts), ...(identity?.requirements ?? []), ...args.contents, commit];
  return new FluxInstall(
    name,
    {
      ...callerOf(access),
      endpoint: after(access.endpoint, ...needed),
      certificateAuthority: access.certificateAuthority,
      version: flux.version,
      manifests: flux.manifests,
      imageAutomation,
      ...(install ? { install } : {}),
      loginServer: args.loginServer,
      ...(identity && { clientId: identity.clientId, tenantId: identity.tenantId }),
      url: repository.apply(() => fluxUrl),
      ...(readsBySsh(args) ? { sshKey: sshKeyOf(readingKey(parts)) } : {}),
      ...(args.auth === "token" && args.username !== FLUX.username ? { username: args.username } : {}),
      ...(provider ? { provider } : {}),
      ...(artifact ? { artifact: readOf(args, artifact) } : {}),
      ...(artifactSecrets.length > 0 ? { artifactSecrets } : {}),
      ...(provider === "github" ? { githubApp: readingAppOf(args) } : {}),
      ...(args.pullCredentials ? { pullSecret: pullSecretOf(args.pullCredentials) } : {}),
      ...(args.imagePullSecret === undefined ? {} : { imagePullSecret: args.imagePullSecret }),
      ...(args.decryptCredentials ? { decryptSecret: decryptSecretOf(args.decryptCredentials) } : {}),
      branch,
      ...(interval === undefined ? {} : { interval }),
      ...(recurseSubmodules ? { recurseSubmodules } : {}),
      path,
      readyMinutes,
    },
    { parent },
  );
}

/** Azure decides who may do what in the cluster; being its owner does not suffice. */
function grantDeployers({ name, args, access, parent }: BootstrapParts): pulumi.Resource[] {
  if (args.deployers === undefined || access.clusterId === undefined) return [];
  const group = { principalId: args.deployers, principalType: "Group" } as const;
  const role = BUILT_IN.aksRbacClusterAdmin;
  return [grant(`${name}-deployers`, { ...group, role, scope: access.clusterId }, { parent })];
}

/** Who calls the API server. */
function callerOf({ clusterId, kubeContext }: ApiAccess) {
  if (kubeContext !== undefined) return { kubeContext };
  return clusterId === undefined ? {} : { clusterId };
}

function sshKeyOf({ privateKey, publicKey, knownHosts }: ReadingKey): SshKeyArgs {
  return { privateKey, publicKey, knownHosts };
}

/** As pullSecret: another key of the App needs no commit. */
function readingAppOf({ githubApp, gitKey = "", address }: FluxParts["args"]): ReadingAppArgs {
  // There, or it would have been refused.
  const { id = 0, installationId } = githubApp ?? {};
  const [owner = ""] = address.path.split("/");
  const privateKey = pulumi.secret(gitKey).apply((key) => {
    const problem = appKeyProblem(key);
    if (problem !== undefined)
      throw new pulumi.RunError(`gitKey, with which Flux reads as GitHub App ${id}, ${problem}`);
    return `${key.trim()}\n`;
  });
  return { id: String(id), installation: installationId === undefined ? owner : String(installationId), privateKey };
}

/** As pullSecret: a rotation needs no commit. */
function decryptSecretOf({ clientSecret, ...who }: DecryptCredentials): DecryptSecretArgs {
  return { name: DECRYPT_SECRET, ...who, clientSecret: pulumi.secret(clientSecret) };
}

/** The pull principal's credentials go straight into the cluster: a rotation needs no commit. */
function pullSecretOf({ username, password }: PullCredentials): PullSecretArgs {
  return { name: PULL_SECRET.name, username, password: pulumi.secret(password) };
}
