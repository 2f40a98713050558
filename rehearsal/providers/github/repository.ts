// github:Repository and the functions that look one up.

import type { Existing, Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, isFields, present } from "../shared/values.ts";
import type { GitHubApi } from "./api.ts";

/** Arguments and outputs that GitHub calls the same in snake case. */
const SAME = [
  "allowAutoMerge",
  "allowForking",
  "allowMergeCommit",
  "allowRebaseMerge",
  "allowSquashMerge",
  "allowUpdateBranch",
  "archived",
  "defaultBranch",
  "deleteBranchOnMerge",
  "description",
  "hasDiscussions",
  "hasDownloads",
  "hasIssues",
  "hasProjects",
  "hasWiki",
  "isTemplate",
  "mergeCommitMessage",
  "mergeCommitTitle",
  "name",
  "private",
  "squashMergeCommitMessage",
  "squashMergeCommitTitle",
  "visibility",
  "webCommitSignoffRequired",
];
/** Arguments of a creation alone. */
const AT_CREATION = ["autoInit", "gitignoreTemplate", "licenseTemplate"];
/** Outputs with names of their own. */
const RENAMED: Readonly<Record<string, string>> = {
  fullName: "full_name",
  gitCloneUrl: "git_url",
  homepageUrl: "homepage",
  htmlUrl: "html_url",
  httpCloneUrl: "clone_url",
  nodeId: "node_id",
  primaryLanguage: "language",
  repoId: "id",
  sshCloneUrl: "ssh_url",
  svnUrl: "svn_url",
};

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Outputs of a repository as GitHub answers it. */
function outputsOf(body: Fields): Fields {
  const names = [...SAME.map((name) => [name, snake(name)] as const), ...Object.entries(RENAMED)];
  return present({
    ...Object.fromEntries(names.map(([output, field]) => [output, body[field]])),
    topics: Array.isArray(body.topics) ? body.topics : [],
  });
}

function bodyOf(inputs: Properties, names: readonly string[]): Fields {
  const fields = Object.fromEntries(names.map((name) => [snake(name), inputs[name]]));
  return present({ ...fields, homepage: inputs.homepageUrl });
}

/** Created for an organisation where the owner is one, else for the token's user; the id is the name. */
export function repository(api: () => GitHubApi): ResourceHandler {
  return {
    async check(news, _old, context) {
      return { inputs: { name: context.name, ...present(news) } };
    },
    async create(inputs, { signal }) {
      const owner = await api().owner();
      const organisation = await api().send("GET", `orgs/${owner}`, undefined, signal);
      const path = organisation === undefined ? "user/repos" : `orgs/${owner}/repos`;
      const fields = bodyOf(inputs, [...SAME.filter((name) => name !== "defaultBranch"), ...AT_CREATION]);
      const answer = await api().send("POST", path, fields, signal);
      await setTopics(api(), inputs, signal);
      return {
        id: String(inputs.name),
        state: { ...inputs, ...outputsOf(answer?.body ?? {}), etag: answer?.etag ?? "" },
      };
    },
    async read(id, inputs, state, { signal }) {
      const answer = await api().send("GET", `repos/${await api().owner()}/${id}`, undefined, signal);
      if (answer === undefined) return undefined;
      const outputs = outputsOf(answer.body);
      const known = Object.keys(inputs).length === 0 ? ["name", "visibility", "description"] : Object.keys(inputs);
      const seen = known.filter((name) => name in outputs).map((name) => [name, outputs[name]]);
      return {
        id,
        inputs: { ...inputs, ...Object.fromEntries(seen) },
        state: { ...state, ...outputs, etag: answer.etag },
      };
    },
    async update(existing: Existing, inputs, { signal }) {
      const path = `repos/${await api().owner()}/${existing.id}`;
      const answer = await api().send("PATCH", path, bodyOf(inputs, SAME), signal);
      await setTopics(api(), inputs, signal);
      return { ...existing.state, ...inputs, ...outputsOf(answer?.body ?? {}), etag: answer?.etag ?? "" };
    },
    async delete(existing: Existing, { signal }) {
      const path = `repos/${await api().owner()}/${existing.id}`;
      if (existing.inputs.archiveOnDestroy === true) await api().send("PATCH", path, { archived: true }, signal);
      else await api().send("DELETE", path, undefined, signal);
    },
  };
}

async function setTopics(api: GitHubApi, inputs: Properties, signal: AbortSignal): Promise<void> {
  if (!Array.isArray(inputs.topics)) return;
  await api.send("PUT", `repos/${await api.owner()}/${String(inputs.name)}/topics`, { names: inputs.topics }, signal);
}

/**
 * The function getRepository, by `fullName` or by `name` with the provider's owner. Where there is no such repository
 * the official provider gives no error: it sets an empty id (terraform-provider-github, data_source_github_repository.go),
 * for which Terraform's kit has no state (helper/schema, ResourceData.State), so that nothing at all comes out.
 */
export async function getRepository(api: GitHubApi, args: Properties): Promise<Properties> {
  const fullName = args.fullName ?? (args.name === undefined ? undefined : `${await api.owner()}/${String(args.name)}`);
  if (typeof fullName !== "string") throw new Error("one of `fullName` and `name` must be specified");
  const answer = await api.send("GET", `repos/${fullName}`);
  if (answer === undefined) return {};
  const outputs = outputsOf(answer.body);
  const license = answer.body.license;
  const repositoryLicenses = isFields(license)
    ? [{ licenses: [present({ key: license.key, name: license.name, spdxId: license.spdx_id })] }]
    : [];
  return { primaryLanguage: "", ...outputs, pages: [], repositoryLicenses, id: outputs.name };
}

/** The function getBranch. */
export async function getBranch(api: GitHubApi, args: Properties): Promise<Properties> {
  const repository = String(args.repository);
  const branch = String(args.branch);
  const answer = await api.send("GET", `repos/${await api.owner()}/${repository}/git/ref/heads/${branch}`);
  if (answer === undefined) return { ...args, id: "" };
  const { ref, object } = answer.body;
  const sha = isFields(object) ? object.sha : undefined;
  return { repository, branch, ref, sha, etag: answer.etag, id: `${repository}:${branch}` };
}
