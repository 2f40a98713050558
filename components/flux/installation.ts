import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import { FluxInstall, type SshKeyArgs } from "../../provider/sdk/fluxInstall.ts";
import { FluxReady } from "../../provider/sdk/fluxReady.ts";
import type { GitCommit } from "../../provider/sdk/gitCommit.ts";
import { PULL_SECRET } from "../../settings/rules.ts";
import { KUSTOMIZATIONS } from "../repository/names.ts";
import { after } from "../shared/after.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import { createDeployKey, type DeployKey } from "./deployKey.ts";
import type { FluxParts } from "./extension.ts";
import { fluxUrl, lockedFlux } from "./repositoryContent.ts";

/**
 * Flux by its own bootstrap, which reads the repository with a token or with a deploy key of its own.
 * @returns the commit, when all that it promises is Ready.
 */
export function installBootstrap(parts: FluxParts & { readonly commit: GitCommit }): pulumi.Output<string> {
  const { name, args, commit, parent } = parts;
  const { certificateAuthority } = args.access;
  const install = createInstall(parts);
  const secrets = createPullSecret(parts, install);
  const ready = new FluxReady(
    name,
    {
      endpoint: after(args.access.endpoint, install, ...secrets),
      certificateAuthority,
      commit: commit.commit,
      kustomizations: [FLUX_SYSTEM, ...KUSTOMIZATIONS],
      readyMinutes: args.settings.flux.readyMinutes,
    },
    { parent },
  );
  return after(commit.commit, ready);
}

function createInstall(parts: FluxParts): FluxInstall {
  const { name, args, repository, commit, parent } = parts;
  const { access, identity, deployers, settings, lock } = args;
  const { branch, path, imageAutomation, readyMinutes } = settings.flux;
  const { version, manifests } = lockedFlux(lock);
  // Azure decides who may do what in the cluster; being its owner does not suffice.
  const admin = grant(
    `${name}-deployers`,
    { principalId: deployers, principalType: "Group", role: BUILT_IN.aksRbacClusterAdmin, scope: access.clusterId },
    { parent },
  );
  // Deleted before all of these, so that Flux is still in Git, and this may still reach it, when it is uninstalled.
  const needed = [admin, ...identity.requirements, ...args.contents, commit];
  return new FluxInstall(
    name,
    {
      clusterId: access.clusterId,
      endpoint: after(access.endpoint, ...needed),
      certificateAuthority: access.certificateAuthority,
      version,
      manifests,
      imageAutomation,
      loginServer: args.loginServer,
      clientId: identity.clientId,
      tenantId: identity.tenantId,
      url: repository.apply(() => fluxUrl(settings.flux)),
      ...(settings.flux.auth === "deployKey" ? { sshKey: sshKeyOf(createDeployKey(parts)) } : {}),
      branch,
      path,
      readyMinutes,
    },
    { parent },
  );
}

function sshKeyOf({ privateKey, publicKey, knownHosts }: DeployKey): SshKeyArgs {
  return { privateKey, publicKey, knownHosts };
}

/** The pull principal's credentials go straight into the cluster: a rotation needs no commit. */
function createPullSecret({ name, args, parent }: FluxParts, install: FluxInstall): Secret[] {
  if (!args.pullCredentials) return [];
  const provider = new Provider(
    name,
    // Client-side apply would put a label on objects that makes `flux bootstrap` ask whose they are. A rotation changes
    // the secret in place: without it no chart could be pulled.
    { kubeconfig: args.access.kubeconfig, enableServerSideApply: true, enableSecretMutable: true },
    { parent },
  );
  const stringData = pulumi.secret({ ...args.pullCredentials });
  // Its namespace comes with Flux.
  return [
    new Secret(`${name}-pull`, { metadata: PULL_SECRET, stringData }, { parent, provider, dependsOn: [install] }),
  ];
}
