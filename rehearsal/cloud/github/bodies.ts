// How GitHub's REST API shows things.

import type { Commit } from "../git/repository.ts";
import type { Right } from "./access.ts";
import type { DeployKey, IssueComment, PullRequest, Repository } from "./model.ts";

const API = "https://api.github.com";

export function userBody(login: string): object {
  return {
    login,
    id: idOf(login),
    node_id: nodeId("U", login),
    type: "User",
    url: `${API}/users/${login}`,
    name: login,
  };
}

export function organisationBody(login: string, allowsDeployKeys: boolean): object {
  const name = login.toLowerCase();
  return {
    login,
    id: idOf(name),
    node_id: nodeId("O", name),
    type: "Organization",
    url: `${API}/orgs/${login}`,
    name,
    deploy_keys_enabled_for_repositories: allowsDeployKeys,
  };
}

/** @param may what the caller may do with it. */
export function repositoryBody(repository: Repository, may: (right: Right) => boolean): object {
  const fullName = `${repository.owner}/${repository.name}`;
  const web = `https://github.com/${fullName}`;
  return {
    id: repository.id,
    node_id: nodeId("R", fullName),
    name: repository.name,
    full_name: fullName,
    private: repository.private,
    visibility: repository.private ? "private" : "public",
    owner: userBody(repository.owner),
    html_url: web,
    description: null,
    fork: false,
    url: urlOf(repository),
    clone_url: `${web}.git`,
    git_url: `git://github.com/${fullName}.git`,
    ssh_url: `git@github.com:${fullName}.git`,
    svn_url: web,
    homepage: null,
    language: null,
    created_at: repository.createdAt,
    updated_at: repository.createdAt,
    default_branch: "main",
    archived: false,
    disabled: false,
    is_template: false,
    topics: [],
    has_issues: true,
    has_projects: true,
    has_wiki: true,
    has_downloads: true,
    has_discussions: false,
    allow_forking: true,
    web_commit_signoff_required: false,
    ...repository.settings,
    permissions: { admin: may("admin"), maintain: may("admin"), push: may("write"), triage: may("write"), pull: true },
  };
}

export function branchBody(repository: Repository, name: string, commit: Commit): object {
  const isProtected = [...repository.protectedBranches, ...(repository.ruledBranches ?? [])].includes(name);
  return { name, commit: commitBody(repository, commit), protected: isProtected, protection: { enabled: isProtected } };
}

export function commitBody(repository: Repository, { sha, message, author, parents }: Commit): object {
  const url = (of: string) => `${urlOf(repository)}/commits/${of}`;
  return {
    sha,
    url: url(sha),
    commit: { author, committer: author, message },
    parents: parents.map((parent) => ({ sha: parent, url: url(parent) })),
  };
}

export function refBody(repository: Repository, { ref, sha }: { ref: string; sha: string }): object {
  return {
    ref,
    node_id: nodeId("REF", `${repository.id}:${ref}`),
    url: `${urlOf(repository)}/git/${ref}`,
    object: { sha, type: "commit", url: `${urlOf(repository)}/git/commits/${sha}` },
  };
}

export function deployKeyBody(repository: Repository, key: DeployKey): object {
  return {
    id: key.id,
    key: key.key,
    url: `${urlOf(repository)}/keys/${key.id}`,
    title: key.title,
    verified: true,
    created_at: key.createdAt,
    read_only: key.readOnly,
    added_by: key.addedBy,
    last_used: null,
    enabled: true,
  };
}

export function pullBody(repository: Repository, pull: PullRequest): object {
  const { number, title, body, state, mergedAt, author, head, base, locked } = pull;
  const branch = (ref: string) => ({ ref, label: `${repository.owner}:${ref}` });
  return {
    ...{ number, title, body, state, locked, draft: false },
    node_id: nodeId("PR", `${repository.id}:${number}`),
    url: `${urlOf(repository)}/pulls/${number}`,
    html_url: `https://github.com/${repository.owner}/${repository.name}/pull/${number}`,
    user: userBody(author),
    merged_at: mergedAt ?? null,
    head: branch(head),
    base: branch(base),
  };
}

export function commentBody(repository: Repository, pullRequest: PullRequest, comment: IssueComment): object {
  const web = `https://github.com/${repository.owner}/${repository.name}/pull/${pullRequest.number}`;
  const [login, type] = comment.authorIsApp ? [comment.author, "Bot"] : [comment.author, "User"];
  return {
    id: comment.id,
    node_id: nodeId("IC", String(comment.id)),
    url: `${urlOf(repository)}/issues/comments/${comment.id}`,
    html_url: `${web}#issuecomment-${comment.id}`,
    issue_url: `${urlOf(repository)}/issues/${pullRequest.number}`,
    body: comment.body,
    user: { ...userBody(login), type },
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: comment.authorIsApp ? "NONE" : "CONTRIBUTOR",
  };
}

export function urlOf({ owner, name }: Repository): string {
  return `${API}/repos/${owner}/${name}`;
}

function nodeId(kind: string, of: string): string {
  return `${kind}_${Buffer.from(of).toString("base64url")}`;
}

/** A number of its own for each login, the same in every run. */
function idOf(login: string): number {
  return [...login.toLowerCase()].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 100_000_000, 7);
}
