// What git says when a remote refuses, in words that name the place, the cause and the remedy.

import type { Credential } from "./gitEnvironment.ts";

/** `race`: somebody else pushed first; `passing`: worth another try as it is; `other`: neither. */
export type GitFaultKind = "race" | "passing" | "other";

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

/** A failed talk with a remote. */
export interface GitFault {
  readonly action: GitAction;
  readonly url: string;
  readonly branch: string;
  /** What git printed. */
  readonly output: string;
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
  return new GitError(
    "other",
    `${fault.url} refuses a push to branch ${fault.branch} ${why}: let the token's owner push there (branch protection, rulesets), or choose another branch${said(fault)}`,
  );
}

/** Any other refusal, and any failure on the way. */
export function remoteError(fault: GitFault): GitError {
  const { output, url, credential } = fault;
  const error = (problem: string) => new GitError("other", `${problem}${said(fault)}`);
  const token = credential ? `the token in ${credential.variable}` : "an anonymous caller";
  if (/could not read (Username|Password)|Authentication failed|error: 401/.test(output)) {
    return credential
      ? error(`${url} does not accept ${token}: it may have expired or be for another host`)
      : error(`${url} asks for a credential: set GIT_TOKEN or GITHUB_TOKEN`);
  }
  if (/error: 403|[Pp]ermission .*denied/.test(output)) {
    const right = fault.action === "push" ? "push to" : "read";
    return error(`${token} may not ${right} ${url}: it needs the right (on GitHub: Contents, read and write)`);
  }
  if (/repository .*not found|not a git repository|error: 404|does not exist/i.test(output)) {
    return error(`there is no repository ${url}, or ${token} may not see it`);
  }
  return new GitError(
    PASSING.test(output) ? "passing" : "other",
    `git could not ${fault.action === "push" ? "push to" : "read"} ${url}${said(fault)}`,
  );
}

const PASSING =
  /error: (408|429|5\d\d)|HTTP (408|429|5\d\d)|onnection (reset|refused|timed out)|Could not resolve|RPC failed|early EOF|hung up|unexpected disconnect|timed out/;

/** Git's own words, without noise and without the token. */
function said({ output, credential }: GitFault): string {
  const lines = output.split(/[\r\n]+/).filter((line) => /^(remote|fatal|error|ssh|Host|.*denied)\b/.test(line));
  const text = lines.slice(0, 12).join("; ").trim();
  if (!text) return "";
  return `: ${credential ? text.replaceAll(credential.token, "***") : text}`;
}
