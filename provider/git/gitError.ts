// What git says when a remote refuses, in words that name the place, the cause and the remedy.

import { hostOf } from "../../net/gitAddress.ts";
import { type Credential, credentialVariables } from "../../net/gitCredential.ts";
import { scanCommand } from "../../net/knownHosts.ts";
import { type GitAccess, rightAt } from "./gitAccess.ts";

/** `race`: somebody else pushed first; `passing`: worth another try as it is; `other`: neither. */
export type GitFaultKind = "race" | "passing" | "other";

/** A host whose pull requests the program can open. */
export type PullRequestKind = "GitHub" | "Azure DevOps";

/** Reading what a remote has, or pushing to it. */
export type GitAction = "read" | "push";

export class GitError extends Error {
  readonly kind: GitFaultKind;
  constructor(kind: GitFaultKind, message: string) {
    super(message);
    this.name = "GitError";
    this.kind = kind;
  }
}

/** A branch that takes changes by pull request alone, at a host whose pull requests can be opened. */
export class ProtectedBranch extends GitError {
  readonly host: PullRequestKind;
  constructor(host: PullRequestKind, message: string) {
    super("other", message);
    this.name = "ProtectedBranch";
    this.host = host;
  }
}

/** A failed talk with a remote. */
export interface GitFault {
  readonly action: GitAction;
  readonly url: string;
  readonly branch: string;
  /** What git printed. */
  readonly output: string;
  readonly access: GitAccess;
  readonly credential: Credential | undefined;
}

/** A remote's refusal of a push. */
export function pushError(fault: GitFault): GitError {
  const rejection = /^!\t[^\t]*\t\[(remote rejected|rejected)\] ?(.*)$/m.exec(fault.output);
  if (!rejection) return remoteError(fault);
  const [, who, why = ""] = rejection;
  if (who === "rejected" || /cannot lock ref|failed to update ref|incorrect old value|fetch first/.test(why)) {
    return new GitError("race", `somebody else pushed to branch ${fault.branch} of ${fault.url} meanwhile`);
  }
  const refused = `${fault.url} refuses a push to branch ${fault.branch} ${why}`;
  const host = wantsPullRequest(fault);
  if (host === undefined) return new GitError("other", `${refused}: ${pushRemedy(fault)}${said(fault)}`);
  const remedy = `let it take pull requests (flux.commit.pullRequest), or ${pushRemedy(fault)}`;
  return new ProtectedBranch(host, `${refused}: ${remedy}${said(fault)}`);
}

/**
 * Which host wants a pull request instead of a push: GitHub by a protected branch (GH006) or a ruleset (GH013), whose
 * checks run on pull requests too, Azure DevOps by a policy of the branch (TF402455).
 */
function wantsPullRequest({ url, output }: GitFault): PullRequestKind | undefined {
  // Who signs in with a key of SSH has no token for the API.
  if (!/^https?:/.test(url)) return undefined;
  if (/TF402455/.test(output)) return "Azure DevOps";
  const isWanted = /through a pull request|required status checks? .*expected|through (the|a) merge queue/i.test(
    output,
  );
  return isWanted && /\bGH0(06|13)\b/.test(output) ? "GitHub" : undefined;
}

/** What helps where a rule of the branch is broken, in the words of GitHub, GitLab and Azure DevOps. */
function pushRemedy({ output }: GitFault): string {
  const isUnsigned = /verified signature|must be signed|commits? (is|are) not signed/i.test(output);
  const isStranger = /(author|committer)('s)? e-?mail/i.test(output);
  const rest = "let the token's owner push there (branch protection, rulesets), or choose another branch";
  if (!isUnsigned && !isStranger) return rest;
  return [
    ...(isUnsigned ? ["its commits have to be signed: name a signing key (flux.commit.signingKey)"] : []),
    ...(isStranger ? ["it takes some addresses only: name whose commits they are (flux.commit.author)"] : []),
    `or let the token's owner bypass its rules, or choose another branch`,
  ].join("; ");
}

/** Any other refusal, and any failure on the way. */
export function remoteError(fault: GitFault): GitError {
  const { output, url, credential } = fault;
  const error = (problem: string) => new GitError("other", `${problem}${said(fault)}`);
  const isSsh = url.startsWith("ssh://");
  const token = credential
    ? `the ${isSsh ? "key" : "token"} in ${credential.variable}`
    : isSsh
      ? "whoever signs in over SSH"
      : "an anonymous caller";
  const variables = credentialVariables(url, fault.access).join(" or ");
  if (/Host key verification failed/.test(output))
    return error(
      `${hostOf(url)} is not known by the key that it shows over SSH: compare what \`${scanCommand(hostOf(url))}\` gives with ` +
        "what whoever runs it publishes, and give these lines as flux.knownHosts",
    );
  if (/Permission denied \(|Too many authentication failures|Public key authentication failed/.test(output)) {
    return credential
      ? error(`${url} does not accept ${token}: register its public half there, for a user who may`)
      : error(`${url} accepts no key that SSH has here: set ${variables} to a private key that it knows`);
  }
  if (
    /could not read (Username|Password)|Authentication failed|error: 401|update url base from redirection/.test(output)
  ) {
    return credential
      ? error(`${url} does not accept ${token}: it may have expired or be for another host`)
      : error(`${url} asks for a credential: set ${variables}`);
  }
  if (FORBIDDEN.test(output)) {
    const right = fault.action === "push" ? "push to" : "read";
    return error(`${token} may not ${right} ${url}: it needs the right ${rightAt(url, fault.action)}`);
  }
  if (MISSING.test(output)) {
    return error(`there is no repository ${url}, or ${token} may not see it`);
  }
  return new GitError(
    PASSING.test(output) ? "passing" : "other",
    `git could not ${fault.action === "push" ? "push to" : "read"} ${url}${said(fault)}`,
  );
}

/** In the words of HTTP and of hosts: GitHub's, GitLab's, Azure DevOps'. */
const FORBIDDEN =
  /error: 403|[Pp]ermission .*denied|marked as read only|does not have write access|not allowed to (push|upload)|TF401027/;

const MISSING =
  /repository .*not found|not a git repository|error: 404|does not (exist|appear to be)|could not be found/i;

const PASSING =
  /error: (408|429|5\d\d)|HTTP (408|429|5\d\d)|onnection (reset|refused|timed out)|Could not resolve|RPC failed|early EOF|hung up|unexpected disconnect|timed out/;

/** Git's own words, without noise and without the token. */
function said({ output, credential }: GitFault): string {
  const lines = output.split(/[\r\n]+/).filter((line) => /^(remote|fatal|error|ERROR|ssh|Host|.*denied)\b/.test(line));
  const text = lines.slice(0, 12).join("; ").trim();
  if (!text) return "";
  return `: ${credential?.token ? text.replaceAll(credential.token, "***") : text}`;
}
