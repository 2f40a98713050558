// A repository on a simulated GitHub that is served on loopback, and the tokens of a workflow's jobs.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Repository } from "../../../rehearsal/cloud/github/model.ts";
import { GitHub } from "../../../rehearsal/cloud/github/service.ts";
import { serve } from "./served.ts";

export interface OnGitHub {
  /** A folder that goes with it. */
  readonly folder: string;
  readonly gitHub: GitHub;
  readonly repository: Repository;
  /** The address of its API. */
  readonly origin: string;
  /** That of a job which may comment, and that of one which may not, as for a fork. */
  readonly tokens: { readonly workflow: string; readonly fork: string };
  close(): Promise<void>;
}

/** @param name the repository's name, of acme. */
export async function onGitHub(name: string): Promise<OnGitHub> {
  const folder = await mkdtemp(join(tmpdir(), "comment-"));
  const gitHub = new GitHub({ root: join(folder, "git") });
  const repository = await gitHub.createRepository("acme", name, { files: {} });
  const job = (pullRequests: "read" | "write") =>
    gitHub.addToken({
      ...{ login: "github-actions[bot]", of: "app", pullRequests },
      repositories: { [`acme/${name}`]: "read" },
    });
  const server = await serve(gitHub.api, "https://api.github.com");
  return {
    ...{ folder, gitHub, repository, origin: server.origin },
    tokens: { workflow: job("write"), fork: job("read") },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
