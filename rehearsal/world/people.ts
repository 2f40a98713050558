// Who takes part in a rehearsal, with their rights in the simulated Azure and GitHub.
import { delegationCondition } from "../../components/pipeline/delegation.ts";
import { isDevOps, parseRepositoryUrl } from "../../net/gitAddress.ts";
import type { Settings } from "../../settings/settings.ts";
import { type CloudFile, type IdentityName, identityNames } from "../session.ts";
import type { Services } from "./services.ts";

/** What the custom roles of `sops.roles` allow, where a stack names some. */
const customRoles = {
  encrypt: "Microsoft.KeyVault/vaults/keys/encrypt/action",
  decrypt: "Microsoft.KeyVault/vaults/keys/decrypt/action",
} as const;

/**
 * Makes the repository of an address at Azure DevOps. @returns `project/name`.
 * @throws Error for any other host: a rehearsal has none.
 */
async function devOpsRepository(
  devOps: Services["devOps"],
  url: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const address = parseRepositoryUrl(url);
  const [organization, project = "", , name = ""] = (address && isDevOps(address) ? address.path : "")
    .split("/")
    .map(decodeURIComponent);
  if (organization !== devOps.organization)
    throw new Error(
      `a rehearsal has no ${url}: it serves https://github.com and https://dev.azure.com/${devOps.organization} alone. ` +
        "Name a repository there for the rehearsal",
    );
  await devOps.createGitRepository(project, name, { files });
  return `${project}/${name}`;
}

/** Who deploys commits; all others read. */
function devOpsToken(devOps: Services["devOps"], name: IdentityName, repository: string): string | undefined {
  const right = name === "deployer" ? "contribute" : "read";
  return devOps.git?.addUser({ displayName: `rehearsal ${name}`, repositories: { [repository]: right } });
}

/**
 * Makes the people and groups that the settings name, the GitOps repository where the stack does not make it itself, and
 * those who may run commands.
 * @param subscription its id.
 * @param files what people have in the repository: text by path; only a README where nobody says.
 * @returns the credentials of those who may run commands.
 */
export async function people(
  { arm, entra, gitHub, devOps }: Pick<Services, "arm" | "entra" | "gitHub" | "devOps">,
  { deployers, cluster, sops, flux }: Settings,
  subscription: string,
  files: Readonly<Record<string, string>> = { "README.md": `# ${flux.name}\n` },
): Promise<CloudFile["identities"]> {
  const scope = `/subscriptions/${subscription}`;
  const groups = new Map([[deployers, "deployers"]]);
  for (const id of cluster.adminGroups) groups.set(id, "cluster administrators");
  for (const id of sops.editors) groups.set(id, "editors of secrets");
  for (const id of sops.encrypters) groups.set(id, "encrypters of secrets");
  for (const [id, name] of groups) entra.addGroup(id, name);
  for (const kind of ["encrypt", "decrypt"] as const) {
    const id = sops.roles[kind]?.split("/").pop();
    if (id !== undefined)
      arm.defineRole({
        id,
        name: `SOPS ${kind}`,
        dataActions: ["Microsoft.KeyVault/vaults/keys/read", customRoles[kind]],
      });
  }
  // No more than what a pipeline's identity has: docs/delivery/identity.md.
  const assignable = Object.values(sops.roles).filter((role) => role !== undefined);
  arm.assignRole(deployers, "Contributor", scope);
  arm.assignRole(deployers, "Role Based Access Control Administrator", scope, delegationCondition(assignable));
  const { owner = "", name = "" } = flux;
  const repository = `${owner}/${name}`;
  if (!flux.createRepository && owner !== "") await gitHub.createRepository(owner, name, { private: true, files });
  const devOpsName = owner === "" ? await devOpsRepository(devOps, flux.repository, files) : undefined;
  const memberships: Record<IdentityName, string[]> = {
    deployer: [deployers],
    reader: [],
    editor: sops.editors.slice(0, 1),
    encrypter: sops.encrypters.slice(0, 1),
    administrator: cluster.adminGroups.slice(0, 1),
  };
  const entries = identityNames.map((name) => {
    const client = entra.addClient(`rehearsal ${name}`, memberships[name]);
    // What azuread needs to make the service principals that a stack asks for.
    if (name === "deployer") entra.grantGraph(client.objectId, "Application.ReadWrite.OwnedBy");
    if (name === "reader") arm.assignRole(client.objectId, "Reader", scope);
    const gitHubToken = gitHub.addToken(
      name !== "deployer"
        ? { repositories: { [repository]: "read" } }
        : flux.createRepository
          ? { repositories: {}, creates: [owner] } // who makes a repository may do everything with it
          : { repositories: { [repository]: "admin" } },
    );
    const gitToken = devOpsName && devOpsToken(devOps, name, devOpsName);
    const credentials = { clientId: client.clientId, clientSecret: client.clientSecret, gitHubToken };
    return [name, { ...credentials, ...(gitToken ? { gitToken } : {}) }] as const;
  });
  return Object.fromEntries(entries) as CloudFile["identities"];
}
