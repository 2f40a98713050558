import { type GetRepositoryResult, getRepositoryOutput } from "@pulumi/github/getRepository.js";
import { Repository } from "@pulumi/github/repository.js";
import * as pulumi from "@pulumi/pulumi";
import { gitHubRepository, writtenUrl } from "../../net/gitAddress.ts";
import { after } from "../shared/after.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { FluxWanted } from "./fluxParts.ts";

/**
 * The GitOps repository: on GitHub looked up, or made where that is asked for. No other host is asked before something is
 * committed.
 * @returns its name, when it is there; its path elsewhere.
 */
export function gitOpsRepository(
  name: string,
  {
    address,
    repository,
    createRepository,
    githubHost,
  }: Pick<FluxWanted, "address" | "repository" | "createRepository" | "githubHost">,
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const gitHub = gitHubRepository(address, githubHost);
  if (gitHub === undefined) return pulumi.output(address.path);
  if (createRepository) return after(gitHub.name, create(name, gitHub.name, parent));
  const found = getRepositoryOutput({ fullName: `${gitHub.owner}/${gitHub.name}` }, { parent });
  return found.apply((it) => existing(it, writtenUrl(repository)));
}

/**
 * Without a first commit: the one that this program pushes makes the branch of the arguments, and the default one.
 * Other clusters and people's own files may live in it, so it outlives the stack, and from its creation on all its
 * settings are people's own. Its name is part of the resource's: another name makes another repository instead of
 * renaming this one.
 */
function create(name: string, repository: string, parent: pulumi.Resource): Repository {
  return new Repository(
    `${name}-${repository}`,
    { name: repository, visibility: "private", hasIssues: true },
    newFirst({ parent, retainOnDelete: true, ignoreChanges: ["*"] }),
  );
}

/**
 * For a repository that is not there or not to be seen, the provider gives no error. Its source sets an empty id, whereupon
 * Terraform's kit keeps no state at all: outputs without anything in them.
 */
function existing(found: Partial<GetRepositoryResult>, url: string): string {
  if (found.id && found.name) return found.name;
  throw new pulumi.RunError(
    `aks-gitops:flux.repository ${url} is not there, or GITHUB_TOKEN may not see it. ` +
      "Create the repository, or give the token access to it, or let it be made: flux.createRepository: true.",
  );
}
