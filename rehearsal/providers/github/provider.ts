// The stand-in for Pulumi's github: repositories, their deploy keys and environments.

import type { Properties, Provider, ResourceHandler } from "../../../plugin/handler.ts";
import { sdkVersion, text } from "../shared/values.ts";
import { GitHubApi } from "./api.ts";
import { deployKey } from "./deployKey.ts";
import { deploymentPolicy, environment, environmentVariable } from "./environment.ts";
import { getBranch, getRepository, repository } from "./repository.ts";

const DEFAULT_BASE = "https://api.github.com/";

let session: GitHubApi | undefined;

function api(): GitHubApi {
  if (session === undefined) throw new Error("github was not configured");
  return session;
}

const resources = new Map<string, ResourceHandler>([
  ["github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable", environmentVariable(api)],
  ["github:index/repositoryEnvironment:RepositoryEnvironment", environment(api)],
  ["github:index/repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy", deploymentPolicy(api)],
  ["github:index/repositoryDeployKey:RepositoryDeployKey", deployKey(api)],
  ["github:index/repository:Repository", repository(api)],
]);

const functions = new Map<string, (api: GitHubApi, args: Properties) => Promise<Properties>>([
  ["github:index/getRepository:getRepository", getRepository],
  ["github:index/getBranch:getBranch", getBranch],
]);

export const github: Provider = {
  name: "github",
  version: sdkVersion("github"),
  async configure(config) {
    const base = text(config.baseUrl) || process.env.GITHUB_BASE_URL || DEFAULT_BASE;
    const owner = text(config.owner) || text(config.organization) || process.env.GITHUB_OWNER;
    session = new GitHubApi(base.replace(/\/*$/, "/"), text(config.token) || process.env.GITHUB_TOKEN, owner);
  },
  resource: (token) => resources.get(token),
  async invoke(token, args) {
    const call = functions.get(token);
    if (call === undefined) throw new Error(`the stand-in for github has no function ${token}`);
    return call(api(), args);
  },
};
