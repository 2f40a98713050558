// Who takes part in a rehearsal, with their rights in the simulated Azure and GitHub.
import { delegationCondition } from "../../components/pipeline/delegation.ts";
import type { Settings } from "../../settings/settings.ts";
import { type CloudFile, type IdentityName, identityNames } from "../session.ts";
import type { Services } from "./services.ts";

/** What the custom roles of `sops.roles` allow, where a stack names some. */
const customRoles = {
  encrypt: "Microsoft.KeyVault/vaults/keys/encrypt/action",
  decrypt: "Microsoft.KeyVault/vaults/keys/decrypt/action",
} as const;

/**
 * Makes the people and groups that the settings name, the GitOps repository where the stack does not make it itself, and
 * those who may run commands.
 * @param subscription its id.
 * @param files what people have in the repository: text by path; only a README where nobody says.
 * @returns the credentials of those who may run commands.
 */
export async function people(
  { arm, entra, gitHub }: Pick<Services, "arm" | "entra" | "gitHub">,
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
    return [name, { clientId: client.clientId, clientSecret: client.clientSecret, gitHubToken }] as const;
  });
  return Object.fromEntries(entries) as CloudFile["identities"];
}
