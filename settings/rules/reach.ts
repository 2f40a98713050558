// Rules of who reaches what: registry, vault, runner, Flux's sign-in.
import { authOf, commitDisorders, type SignInOptions, signInDisorders } from "../../components/flux/signIn.ts";
import { enterpriseHost, gitHubRepository, parseRepositoryUrl } from "../../net/gitAddress.ts";
import { ownPath } from "../../net/registry/ownRegistry.ts";
import { GIT_KEY, GIT_TOKEN, own } from "../check.ts";
import { type Draft, type Facts, type Rule, whole } from "./rule.ts";

const LEARN = "https://learn.microsoft.com/azure";

/** Whether the runner stands outside, let in or not. */
const isAnywhereOutside = (runner: Draft["runner"]): boolean =>
  runner === "outside" || (typeof runner === "object" && runner.inside === undefined);

/** Whether the runner stands outside, and nobody lets it in. */
const isOutside = (runner: Draft["runner"]): boolean =>
  runner === "outside" ||
  (typeof runner === "object" && runner.inside === undefined && (runner.outside?.addresses ?? []).length === 0);

// Who gets into one that is there already is its owner's decision.
const isShut = ({ registry, runner }: Draft, existing: unknown) =>
  registry?.private === true && isOutside(runner) && existing === undefined;
/** Whether the runner pushes charts; somebody else does those of the stack's own registry. */
const pushes = ({ charts = [] }: Draft) => charts.some((chart) => ownPath(chart?.repository) === undefined);
const SHUT = "cannot be outside: a private registry and vault are reached from the virtual network only";

export const reachRules: readonly Rule[] = [
  {
    name: "private-registry-is-premium",
    subject: "registry",
    severity: "error",
    remedy: "write sku: Premium, or private: false",
    link: `${LEARN}/container-registry/container-registry-skus`,
    check: whole(({ draft: { registry } }) =>
      registry?.private && registry.existing === undefined && registry.sku && registry.sku !== "Premium"
        ? { path: own("registry", "sku"), value: registry.sku, problem: "has no private endpoints" }
        : undefined,
    ),
  },
  {
    name: "runner-reaches-the-registry",
    subject: "runner",
    severity: "error",
    remedy:
      "run inside a network and write runner: {inside: {vnet: <its id>}}, let the runner in with runner: {outside: {addresses: [...]}}, or set registry.private: false",
    link: `${LEARN}/container-registry/container-registry-private-link`,
    check: whole(({ draft }) =>
      isShut(draft, draft.registry?.existing) && pushes(draft)
        ? { path: own("runner"), value: draft.runner, problem: `${SHUT}, and charts are pushed by the runner` }
        : undefined,
    ),
  },
  {
    name: "runner-reaches-the-vault",
    subject: "runner",
    severity: "error",
    remedy:
      "run inside a network and write runner: {inside: {vnet: <its id>}}, let the runner in with runner: {outside: {addresses: [...]}}, or pin sops.publicKey",
    link: `${LEARN}/key-vault/general/private-link-service`,
    check: whole(({ draft }) =>
      isShut(draft, draft.sops?.existingKey ?? draft.sops?.existingVault) &&
      !(pushes(draft) && draft.registry?.existing === undefined) &&
      (draft.secrets?.length || draft.registry?.pullPrincipal) &&
      !draft.sops?.publicKey
        ? {
            path: own("runner"),
            value: draft.runner,
            problem: `${SHUT}, and secrets are encrypted with the vault's key`,
          }
        : undefined,
    ),
  },
  {
    name: "encrypters-need-a-role",
    subject: "sops",
    severity: "error",
    remedy:
      "create a custom role with the data actions Microsoft.KeyVault/vaults/keys/read and .../keys/encrypt/action and name it in sops.roles.encrypt",
    link: `${LEARN}/key-vault/general/rbac-guide`,
    check: whole(({ draft: { sops } }) =>
      sops?.encrypters?.length && !sops.roles?.encrypt
        ? {
            path: own("sops", "encrypters"),
            value: sops.encrypters,
            problem: "needs a role that can encrypt but not decrypt, and Azure has no built-in one",
          }
        : undefined,
    ),
  },
];

/** Rules of where the runner stands that cannot be told for sure. */
export const runnerWarnings: readonly Rule[] = [
  {
    name: "runner-inside-has-a-way",
    subject: "runner warnings",
    severity: "warning",
    remedy: "write runner: {inside: {vnet: <the id of the runner's network>}}, which peers both",
    link: `${LEARN}/virtual-network/virtual-network-peering-overview`,
    check: whole(({ draft: { runner, registry, cluster, flux } }) =>
      runner === "inside" &&
      cluster?.network?.subnets === undefined &&
      (registry?.private || (cluster?.private && flux?.mode === "bootstrap"))
        ? {
            path: own("runner"),
            value: runner,
            problem:
              "does not say in which network: the stack's is made by the first `pulumi up`, and until somebody peers it no " +
              "runner reaches what is private",
          }
        : undefined,
    ),
  },
  {
    name: "runner-addresses-are-used",
    subject: "runner warnings",
    severity: "warning",
    remedy: "set registry.private: true or cluster.authorizedIpRanges, or write runner: outside",
    link: `${LEARN}/container-registry/container-registry-access-selected-networks`,
    check: whole(({ draft: { runner, registry, cluster } }) =>
      typeof runner === "object" && runner.outside && !registry?.private && !cluster?.authorizedIpRanges?.length
        ? {
            path: own("runner", "outside", "addresses"),
            value: runner.outside.addresses,
            problem: "is not used: registry, vault and API server are open to every address",
          }
        : undefined,
    ),
  },
];

/** A key that is faulty, or that a stack file need not have yet, counts as there. */
function signInOf({ draft: { flux, gitKey }, faulty, sealed, config }: Facts): SignInOptions {
  return {
    ...flux,
    githubHost: enterpriseHost(config),
    gitKey: gitKey ?? (sealed || faulty.has(GIT_KEY) ? true : undefined),
  };
}

const TOKEN_REMEDY =
  "run `pulumi config set --secret aks-gitops:gitToken` and give it a token that may read the repository";

export const signInRules: readonly Rule[] = [
  {
    name: "bootstrap-reaches-the-api-server",
    subject: "flux",
    severity: "error",
    remedy: "run inside a network and write runner: {inside: {vnet: <its id>}}, or choose flux.mode: extension",
    link: `${LEARN}/aks/private-clusters`,
    check: whole(({ draft: { cluster, flux, runner } }) =>
      flux?.mode === "bootstrap" && cluster?.private && isAnywhereOutside(runner)
        ? {
            path: own("runner"),
            value: runner,
            problem: "cannot be outside: flux.mode bootstrap installs Flux through the API server, which is private",
          }
        : undefined,
    ),
  },
  {
    name: "extension-has-its-token",
    subject: "flux",
    severity: "error",
    remedy: `${TOKEN_REMEDY}, or write flux.auth: deployKey`,
    link: `${LEARN}/azure-arc/kubernetes/gitops-flux2-parameters`,
    // A stack file need not have its token yet where a tool reads it that has no use for one.
    check: whole(({ draft: { flux, gitToken }, faulty, sealed }) =>
      flux?.mode === "extension" &&
      authOf(flux) === "token" &&
      gitToken === undefined &&
      !faulty.has(GIT_TOKEN) &&
      !sealed
        ? {
            path: own("gitToken"),
            problem: "is missing: with flux.auth token the extension's Flux signs in to the repository with it",
            ...(flux.auth === undefined ? { remedy: TOKEN_REMEDY } : {}),
          }
        : undefined,
    ),
  },
  {
    name: "flux-signs-in-as-the-host-takes-it",
    subject: "flux",
    severity: "error",
    remedy: "write another address or another way",
    link: "https://fluxcd.io/flux/components/source/gitrepositories/#secret-reference",
    check: (facts) =>
      signInDisorders(signInOf(facts)).map(({ key, ...found }) =>
        key === "gitKey" ? { path: own(key), ...found } : { path: own("flux", key), ...found },
      ),
  },
  {
    name: "commits-as-the-host-takes-them",
    subject: "flux",
    severity: "error",
    remedy: "leave it out",
    link: "https://docs.github.com/rest/pulls/pulls",
    check: (facts) =>
      commitDisorders(facts.draft.flux ?? {}).map(({ key, ...found }) => ({
        path: own("flux", "commit", key),
        ...found,
      })),
  },
  {
    name: "github-owner-is-the-repository-s",
    subject: "owner",
    severity: "error",
    remedy: "run `pulumi config set github:owner OWNER` with the owner of aks-gitops:flux.repository",
    link: "https://www.pulumi.com/registry/packages/github/installation-configuration/",
    // GitHub's provider takes the owner from its own configuration. A provider resource could take it from the program,
    // but keeps the token of the environment in the state in plain text (@pulumi/github 6.15, provider.js).
    check: whole(({ draft: { flux }, config }) => {
      if (flux?.repository === undefined) return undefined;
      const value = config["github:owner"] ?? undefined;
      const address = parseRepositoryUrl(flux.repository);
      const { owner } = (address && gitHubRepository(address, enterpriseHost(config))) ?? {};
      if (owner === undefined) return undefined;
      if (typeof value === "string" && value.toLowerCase() === owner.toLowerCase()) return undefined;
      const problem = value === undefined ? "is missing" : "is not the owner of aks-gitops:flux.repository";
      return { path: ["github:owner"], value, problem, remedy: `run \`pulumi config set github:owner ${owner}\`` };
    }),
  },
  {
    name: "deploy-keys-take-more-than-reading",
    subject: "flux warnings",
    severity: "warning",
    remedy:
      "run with the token of a GitHub App that has that permission, or write flux.auth: token and let Flux read with a token " +
      "of its own",
    link: "https://docs.github.com/rest/deploy-keys/deploy-keys",
    check: whole(({ draft: { flux } }) =>
      flux?.auth === "deployKey"
        ? {
            path: own("flux", "auth"),
            problem:
              "deployKey adds a key to the repository: GITHUB_TOKEN needs the permission Administration: write for that, an " +
              "organisation may forbid deploy keys (new ones do), and GitHub deletes a key with the personal token that " +
              "made it",
          }
        : undefined,
    ),
  },
  {
    name: "git-key-is-used",
    subject: "flux warnings",
    severity: "warning",
    remedy: "remove it: run `pulumi config rm aks-gitops:gitKey`",
    link: "https://fluxcd.io/flux/components/source/gitrepositories/#secret-reference",
    check: whole(({ draft: { flux, gitKey } }) =>
      gitKey === undefined ||
      flux?.repository === undefined ||
      (flux.artifact === undefined && ["sshKey", "githubApp"].includes(authOf(flux)))
        ? undefined
        : {
            path: own("gitKey"),
            problem: `is not used: Flux ${flux.artifact ? "reads flux.artifact" : `signs in by flux.auth ${authOf(flux)}`}`,
          },
    ),
  },
  {
    name: "git-token-is-used",
    subject: "flux warnings",
    severity: "warning",
    remedy: "remove it: run `pulumi config rm aks-gitops:gitToken`",
    link: `${LEARN}/azure-arc/kubernetes/gitops-flux2-parameters`,
    check: whole(({ draft: { flux, gitToken } }) => {
      if (gitToken === undefined || flux?.mode === undefined) return undefined;
      const auth = authOf(flux);
      if (flux.artifact !== undefined)
        return { path: own("gitToken"), problem: "is not used: Flux reads flux.artifact" };
      if (flux.mode === "extension" && auth === "token") return undefined;
      const instead = {
        deployKey: "with a deploy key",
        token: "with FLUX_GIT_TOKEN, or else GITHUB_TOKEN, of the environment",
        sshKey: "with aks-gitops:gitKey",
        workloadIdentity: "with the identity of Flux's controllers",
        githubApp: "as the App of flux.githubApp",
      }[auth];
      return {
        path: own("gitToken"),
        problem: `is not used: with flux.mode ${flux.mode} and flux.auth ${auth} Flux reads the repository ${instead}`,
      };
    }),
  },
];
