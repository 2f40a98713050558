// Repositories made, changed and deleted through GitHub's REST API:
// https://docs.github.com/rest/repos/repos?apiVersion=2022-11-28

import type { CloudRequest } from "../types.ts";
import { may, type Token } from "./access.ts";
import type { Repositories } from "./collection.ts";
import { fault, inaccessible, readBody } from "./faults.ts";
import type { Repository } from "./model.ts";

type Body = Record<string, unknown>;

const BOOLEANS = [
  "allow_auto_merge",
  "allow_forking",
  "allow_merge_commit",
  "allow_rebase_merge",
  "allow_squash_merge",
  "allow_update_branch",
  "archived",
  "delete_branch_on_merge",
  "has_discussions",
  "has_downloads",
  "has_issues",
  "has_projects",
  "has_wiki",
  "is_template",
  "private",
  "web_commit_signoff_required",
];
const TEXTS = [
  "default_branch",
  "description",
  "homepage",
  "merge_commit_message",
  "merge_commit_title",
  "name",
  "squash_merge_commit_message",
  "squash_merge_commit_title",
  "visibility",
];
const AT_CREATION = { booleans: ["auto_init"], texts: ["gitignore_template", "license_template"] };

/**
 * Makes a repository of an organisation or of the token's user.
 * @param owner `undefined` for the user's own.
 * @throws ServiceError as GitHub refuses.
 */
export async function makeRepository(
  repositories: Pick<Repositories, "create" | "find" | "isOrganisation">,
  request: CloudRequest,
  token: Token | undefined,
  owner: string | undefined,
): Promise<Repository> {
  if (owner !== undefined && !repositories.isOrganisation(owner)) throw fault(404, "Not Found");
  if (token === undefined) throw fault(401, "Requires authentication");
  const of = owner ?? token.login;
  if (!token.creates.includes(of.toLowerCase())) throw inaccessible();
  const body = readBody(request);
  checkTypes(body, true);
  const { name } = body;
  if (typeof name !== "string" || name === "") throw refused("name", "missing_field");
  checkName(repositories, of, name);
  const files = body.auto_init === true ? { "README.md": `# ${name}\n` } : {};
  const made = await repositories.create(of, name, { private: privacyOf(body) ?? false, files });
  Object.assign(made.settings, settingsOf(body));
  token.rights.set(`${of}/${name}`.toLowerCase(), "admin");
  return made;
}

/** Changes a repository's settings or its name. @throws ServiceError as GitHub refuses. */
export async function changeRepository(
  repositories: Pick<Repositories, "rename" | "find">,
  request: CloudRequest,
  token: Token | undefined,
  repository: Repository,
): Promise<void> {
  demandAdmin(token, repository);
  const body = readBody(request);
  checkTypes(body, false);
  if (body.archived !== false) refuseArchived(repository);
  const { name } = body;
  if (typeof name === "string" && name !== repository.name) {
    if (name.toLowerCase() !== repository.name.toLowerCase()) checkName(repositories, repository.owner, name);
    const [before, after] = [`${repository.owner}/${repository.name}`, `${repository.owner}/${name}`];
    await repositories.rename(repository, name);
    token?.rights.set(after.toLowerCase(), token.rights.get(before.toLowerCase()) ?? "admin");
  }
  repository.private = privacyOf(body) ?? repository.private;
  Object.assign(repository.settings, settingsOf(body));
}

/** Deletes a repository with all it holds. @throws ServiceError as GitHub refuses. */
export async function deleteRepository(
  repositories: Pick<Repositories, "remove">,
  token: Token | undefined,
  repository: Repository,
): Promise<void> {
  demandAdmin(token, repository);
  await repositories.remove(repository);
}

/** @throws ServiceError for a change of what was archived. */
export function refuseArchived({ settings }: Repository): void {
  if (settings.archived === true) throw fault(403, "Repository was archived so is read-only.");
}

function demandAdmin(token: Token | undefined, { owner, name }: Repository): void {
  if (token === undefined) throw fault(404, "Not Found");
  if (!may(token, "admin", `${owner}/${name}`)) throw inaccessible();
}

/** As GitHub's JSON schema does; what it does not know it leaves alone. */
function checkTypes(body: Body, isCreation: boolean): void {
  const booleans = isCreation ? [...BOOLEANS, ...AT_CREATION.booleans] : BOOLEANS;
  const texts = isCreation ? [...TEXTS, ...AT_CREATION.texts] : TEXTS;
  for (const [names, type] of [
    [booleans, "boolean"],
    [texts, "string"],
  ] as const)
    for (const name of names) {
      const value = body[name];
      if (value === undefined || value === null || typeof value === type) continue;
      throw fault(422, `Invalid request.\n\nFor 'properties/${name}', ${JSON.stringify(value)} is not a ${type}.`);
    }
  const { visibility } = body;
  if (typeof visibility === "string" && !["private", "public"].includes(visibility))
    // Internal ones are for an enterprise's organisations alone.
    throw refused(
      "visibility",
      "custom",
      "Only organizations associated with an enterprise can set visibility to internal",
    );
}

/** Other characters are refused here; GitHub would silently make hyphens of them. */
function checkName(repositories: Pick<Repositories, "find">, owner: string, name: string): void {
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(name) || /^\.{1,2}$/.test(name)) throw refused("name", "invalid");
  if (repositories.find(owner, name)) throw refused("name", "custom", "name already exists on this account");
}

function refused(field: string, code: string, message?: string) {
  const errors = [{ resource: "Repository", code, field, ...(message ? { message } : {}) }];
  return fault(422, "Repository creation failed.", { errors });
}

function privacyOf(body: Body): boolean | undefined {
  if (typeof body.visibility === "string") return body.visibility !== "public";
  return typeof body.private === "boolean" ? body.private : undefined;
}

function settingsOf(body: Body): Body {
  const names = [...BOOLEANS, ...TEXTS].filter((name) => !["name", "private", "visibility"].includes(name));
  return Object.fromEntries(names.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]));
}
