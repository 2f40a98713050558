// The environments of repositories with their rules and variables:
// https://docs.github.com/rest/deployments/environments?apiVersion=2022-11-28
import type { CloudRequest, CloudResponse } from "../types.ts";
import type { Right } from "./access.ts";
import { fault, readBody } from "./faults.ts";
import type { Repository } from "./model.ts";

/** Which branches and tags may deploy; null for all. */
type BranchPolicy = { readonly protected_branches: boolean; readonly custom_branch_policies: boolean } | null;

interface Reviewer {
  readonly type: "User" | "Team";
  readonly id: number;
}

interface Pattern {
  readonly id: number;
  readonly node_id: string;
  readonly name: string;
  readonly type: "branch" | "tag";
}

interface Variable {
  readonly name: string;
  readonly value: string;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Environment {
  readonly id: number;
  readonly name: string;
  readonly createdAt: string;
  updatedAt: string;
  canAdminsBypass: boolean;
  waitTimer: number;
  preventSelfReview: boolean;
  reviewers: readonly Reviewer[];
  branchPolicy: BranchPolicy;
  /** The branches and tags of a policy with patterns of its own. */
  readonly patterns: Pattern[];
  /** By name. */
  readonly variables: Map<string, Variable>;
}

export interface EnvironmentCall {
  readonly request: CloudRequest;
  readonly repository: Repository;
  /** What follows `/repos/OWNER/NAME/`. */
  readonly path: string;
  /** Throws where the caller may not. */
  readonly demand: (right: Right) => void;
}

const API = "https://api.github.com";
const MOST_REVIEWERS = 6;
const LONGEST_WAIT = 43_200;
const now = () => new Date().toISOString().replace(/\.\d+/, "");

export class Environments {
  readonly #all = new WeakMap<Repository, Map<string, Environment>>();
  #lastId = 7_000_000;

  /** Whether an address below a repository is one of these. */
  static owns(path: string): boolean {
    return path === "environments" || path.startsWith("environments/");
  }

  /** The environments of a repository, by their names in lower case. */
  of(repository: Repository): ReadonlyMap<string, Environment> {
    return this.#of(repository);
  }

  #of(repository: Repository): Map<string, Environment> {
    const all = this.#all.get(repository) ?? new Map<string, Environment>();
    this.#all.set(repository, all);
    return all;
  }

  /** Answers a request. @throws ServiceError as GitHub refuses. */
  answer(call: EnvironmentCall): CloudResponse {
    const { request, repository, path, demand } = call;
    const { method } = request;
    const all = this.#of(repository);
    if (path === "environments") {
      if (method !== "GET") throw fault(404, "Not Found");
      const environments = [...all.values()].map((one) => shown(repository, one));
      return { status: 200, body: { total_count: environments.length, environments } };
    }
    const [, name = "", part = "", key = ""] =
      /^environments\/(.+?)(?:\/(deployment-branch-policies|variables)(?:\/([^/]+))?)?$/.exec(path) ?? [];
    if (part === "" && method === "PUT") {
      demand("admin");
      return { status: 200, body: shown(repository, this.#put(all, name, readBody(request))) };
    }
    const found = all.get(name.toLowerCase());
    if (part === "variables") demand("write");
    else if (method !== "GET") demand("admin");
    if (!found) throw fault(404, "Not Found");
    if (part === "variables") return variables(request, found, key.toUpperCase());
    if (part !== "") return this.#patterns(request, repository, found, Number(key || Number.NaN));
    if (method === "GET") return { status: 200, body: shown(repository, found) };
    if (method !== "DELETE") throw fault(404, "Not Found");
    all.delete(name.toLowerCase());
    return { status: 204 };
  }

  #put(all: Map<string, Environment>, name: string, body: Record<string, unknown>): Environment {
    const { wait_timer = 0, prevent_self_review = false, can_admins_bypass = true } = body;
    const reviewers = (body.reviewers ?? []) as Reviewer[];
    const branchPolicy = (body.deployment_branch_policy ?? null) as BranchPolicy;
    const wait = Number(wait_timer ?? 0);
    if (!(wait >= 0 && wait <= LONGEST_WAIT)) throw invalid("wait_timer must be between 0 and 43200");
    if (reviewers.length > MOST_REVIEWERS) throw invalid(`There can be at most ${MOST_REVIEWERS} reviewers`);
    if (reviewers.some(({ type, id }) => !["User", "Team"].includes(type) || !Number.isSafeInteger(id)))
      throw invalid("A reviewer needs a type, User or Team, and an id");
    if (branchPolicy && branchPolicy.protected_branches === branchPolicy.custom_branch_policies)
      throw invalid("protected_branches and custom_branch_policies cannot have the same value");
    const old = all.get(name.toLowerCase());
    const environment: Environment = {
      id: old?.id ?? ++this.#lastId,
      name: old?.name ?? name,
      createdAt: old?.createdAt ?? now(),
      updatedAt: now(),
      canAdminsBypass: can_admins_bypass !== false,
      waitTimer: wait,
      preventSelfReview: prevent_self_review === true,
      reviewers,
      branchPolicy,
      patterns: branchPolicy?.custom_branch_policies ? (old?.patterns ?? []) : [],
      variables: old?.variables ?? new Map(),
    };
    all.set(name.toLowerCase(), environment);
    return environment;
  }

  #patterns(request: CloudRequest, repository: Repository, environment: Environment, id: number): CloudResponse {
    const { method } = request;
    const { patterns, branchPolicy } = environment;
    const at = patterns.findIndex((pattern) => pattern.id === id);
    if (Number.isNaN(id) && method === "GET")
      return { status: 200, body: { total_count: patterns.length, branch_policies: patterns } };
    if (Number.isNaN(id) && method === "POST") {
      if (!branchPolicy?.custom_branch_policies) throw fault(404, "Not Found");
      const { name, type = "branch" } = readBody(request);
      if (typeof name !== "string" || name === "" || (type !== "branch" && type !== "tag"))
        throw invalid("A deployment branch policy needs a name, and the type branch or tag");
      const there = patterns.find((pattern) => pattern.name === name && pattern.type === type);
      if (there) {
        const url = urlOf(repository, environment);
        return { status: 303, headers: { location: `${url}/deployment-branch-policies/${there.id}` } };
      }
      const made: Pattern = { id: ++this.#lastId, node_id: `GBP_${this.#lastId}`, name, type };
      patterns.push(made);
      return { status: 200, body: made };
    }
    const found = patterns[at];
    if (!found) throw fault(404, "Not Found");
    if (method === "GET") return { status: 200, body: found };
    if (method === "PUT") {
      const changed = { ...found, name: String(readBody(request).name) };
      patterns.splice(at, 1, changed);
      return { status: 200, body: changed };
    }
    if (method !== "DELETE") throw fault(404, "Not Found");
    patterns.splice(at, 1);
    return { status: 204 };
  }
}

function variables(request: CloudRequest, environment: Environment, key: string): CloudResponse {
  const { method } = request;
  const { variables: all } = environment;
  if (key === "" && method === "GET")
    return { status: 200, body: { total_count: all.size, variables: [...all.values()] } };
  if (key === "" && method === "POST") {
    const { name, value } = readBody(request);
    if (typeof name !== "string" || !/^(?!github_)[a-z_][a-z0-9_]*$/i.test(name) || typeof value !== "string")
      throw fault(422, "Validation Failed");
    if (all.has(name.toUpperCase())) throw fault(409, "Already exists - Variable already exists");
    const created_at = now();
    all.set(name.toUpperCase(), { name: name.toUpperCase(), value, created_at, updated_at: created_at });
    return { status: 201, body: {} };
  }
  const found = all.get(key);
  if (!found) throw fault(404, "Not Found");
  if (method === "GET") return { status: 200, body: found };
  if (method === "PATCH") all.set(key, { ...found, value: String(readBody(request).value), updated_at: now() });
  else if (method === "DELETE") all.delete(key);
  else throw fault(404, "Not Found");
  return { status: 204 };
}

/** Rules that do not hold are left out, as GitHub does. */
function shown(repository: Repository, environment: Environment): object {
  const { id, name, waitTimer, reviewers, preventSelfReview, branchPolicy } = environment;
  const rule = (type: string, more: object = {}) => ({ id: id * 10, node_id: `GA_${id}_${type}`, type, ...more });
  return {
    id,
    node_id: `EN_${id}`,
    name,
    url: urlOf(repository, environment),
    html_url: `https://github.com/${repository.owner}/${repository.name}/deployments/activity_log?environments_filter=${name}`,
    created_at: environment.createdAt,
    updated_at: environment.updatedAt,
    can_admins_bypass: environment.canAdminsBypass,
    protection_rules: [
      ...(waitTimer > 0 ? [rule("wait_timer", { wait_timer: waitTimer })] : []),
      ...(reviewers.length > 0
        ? [
            rule("required_reviewers", {
              prevent_self_review: preventSelfReview,
              reviewers: reviewers.map(({ type, id: who }) => ({ type, reviewer: { id: who } })),
            }),
          ]
        : []),
      ...(branchPolicy ? [rule("branch_policy")] : []),
    ],
    deployment_branch_policy: branchPolicy,
  };
}

function urlOf({ owner, name }: Repository, environment: Environment): string {
  return `${API}/repos/${owner}/${name}/environments/${encodeURIComponent(environment.name)}`;
}

function invalid(message: string) {
  return fault(422, `Validation Failed: ${message}`);
}
