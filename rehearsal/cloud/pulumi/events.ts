// GitHub's webhooks, as far as Pulumi's GitHub App looks at them, and the changes that they tell of.
import { execFile } from "node:child_process";
import { gitEnvironment } from "../git/repository.ts";
import type { Change } from "./triggers.ts";

/** An event as GitHub sends it: https://docs.github.com/webhooks/webhook-events-and-payloads */
export type GitHubEvent =
  | {
      readonly event: "push";
      readonly payload: {
        /** `refs/heads/main`, `refs/tags/v1`. */
        readonly ref: string;
        readonly after: string;
        readonly deleted: boolean;
        readonly repository: { readonly full_name: string };
        readonly commits: readonly Record<"added" | "modified" | "removed", readonly string[]>[];
      };
    }
  | {
      readonly event: "pull_request";
      readonly payload: {
        readonly action: string;
        readonly number: number;
        readonly repository: { readonly full_name: string };
        readonly pull_request: {
          readonly base: { readonly ref: string; readonly sha: string };
          readonly head: { readonly sha: string; readonly repo: { readonly full_name: string } };
        };
      };
    };

/** Actions of a pull request that bring new commits. */
const NEW_COMMITS = ["opened", "reopened", "synchronize"];

/**
 * The change that an event tells of; undefined where it brings nothing.
 * @param folder the bare repository: an event does not name the files of a pull request.
 * @throws Error for a pull request of a fork: what the service does with one is documented nowhere.
 */
export async function changeOf(given: GitHubEvent, folder: string): Promise<Change | undefined> {
  const repository = given.payload.repository.full_name;
  if (given.event === "push") {
    const { ref, after, deleted, commits } = given.payload;
    if (deleted) return undefined;
    const [, kind, name = ""] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
    if (kind === "tags") return { kind: "tag", repository, commit: after, tag: name };
    const files = commits.flatMap(({ added, modified, removed }) => [...added, ...modified, ...removed]);
    return { kind: "push", repository, commit: after, branch: name, files: [...new Set(files)] };
  }
  const { action, number, pull_request: pull } = given.payload;
  if (!NEW_COMMITS.includes(action)) return undefined;
  if (pull.head.repo.full_name !== repository)
    throw new Error("what Pulumi Deployments does with a pull request of a fork is documented nowhere");
  const files = await filesOf(folder, pull.base.sha, pull.head.sha);
  return { kind: "pull request", repository, commit: pull.head.sha, number, base: pull.base.ref, files };
}

/** The files of a pull request: what its commits change since they left the base. */
function filesOf(folder: string, base: string, head: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const args = ["-C", folder, "diff", "--name-only", "--no-renames", "-z", `${base}...${head}`];
    execFile("git", args, { env: gitEnvironment, maxBuffer: 16 * 1024 * 1024 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout.split("\0").filter((file) => file !== "")),
    );
  });
}
