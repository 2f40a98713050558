// github:RepositoryEnvironment, RepositoryEnvironmentDeploymentPolicy and ActionsEnvironmentVariable.

import type { Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, isFields, missing, present, text } from "../shared/values.ts";
import type { GitHubApi } from "./api.ts";

const DEFAULTS = { canAdminsBypass: true, preventSelfReview: false };

/** Another name is another environment; one that is there already is taken over, as GitHub has one call for both. */
export function environment(api: () => GitHubApi): ResourceHandler {
  const put = async (inputs: Properties, signal: AbortSignal): Promise<Fields> => {
    const path = await pathOf(api(), inputs);
    const body = {
      wait_timer: inputs.waitTimer ?? null,
      can_admins_bypass: inputs.canAdminsBypass,
      prevent_self_review: inputs.preventSelfReview,
      reviewers: reviewersOf(inputs.reviewers) ?? null,
      deployment_branch_policy: isFields(inputs.deploymentBranchPolicy)
        ? {
            protected_branches: inputs.deploymentBranchPolicy.protectedBranches,
            custom_branch_policies: inputs.deploymentBranchPolicy.customBranchPolicies,
          }
        : null,
    };
    await api().send("PUT", path, body, signal);
    return { ...inputs, repositoryId: await repositoryId(api(), inputs, signal) };
  };
  return {
    async check(news) {
      const inputs: Fields = { ...DEFAULTS, ...present(news) };
      return { inputs, failures: missing(inputs, ["environment", "repository"]) };
    },
    diff: replacedBy("environment"),
    async create(inputs, { signal }) {
      return { id: [inputs.repository, escaped(inputs.environment)].join(":"), state: await put(inputs, signal) };
    },
    async read(id, _inputs, state, { signal }) {
      const [repository = "", name = ""] = id.split(":");
      const where = { repository, environment: unescaped(name) };
      const answer = await api().send("GET", await pathOf(api(), where), undefined, signal);
      if (answer === undefined) return undefined;
      const seen = { ...where, ...seenIn(answer.body) };
      return { id, inputs: seen, state: { ...state, ...seen } };
    },
    async update(_existing, inputs, { signal }) {
      return put(inputs, signal);
    },
    async delete(existing, { signal }) {
      await api().send("DELETE", await pathOf(api(), existing.inputs), undefined, signal);
    },
  };
}

/** A pattern of branches or tags; of another kind, or of another environment, it is another one. */
export function deploymentPolicy(api: () => GitHubApi): ResourceHandler {
  const below = async (inputs: Properties) => `${await pathOf(api(), inputs)}/deployment-branch-policies`;
  return {
    async check(news) {
      const inputs = present(news);
      const failures = missing(inputs, ["environment", "repository"]);
      if ((inputs.branchPattern === undefined) === (inputs.tagPattern === undefined))
        failures.push({ property: "branchPattern", reason: "one of branchPattern and tagPattern must be specified" });
      return { inputs, failures };
    },
    async diff(existing, inputs) {
      const { changes, replaces = [] } = await replacedBy("environment", "repository")(existing, inputs);
      const kind = "branchPattern" in existing.inputs ? "branchPattern" : "tagPattern";
      return { changes, replaces: kind in inputs ? replaces : [...replaces, kind] };
    },
    async create(inputs, { signal }) {
      const type = inputs.branchPattern === undefined ? "tag" : "branch";
      const body = { name: inputs.branchPattern ?? inputs.tagPattern, type };
      const answer = await api().send("POST", await below(inputs), body, signal);
      const policyId = answer?.body.id;
      const id = [inputs.repository, escaped(inputs.environment), policyId].join(":");
      return { id, state: { ...inputs, policyId, repositoryId: await repositoryId(api(), inputs, signal) } };
    },
    async read(id, _inputs, state, { signal }) {
      const [repository = "", name = "", policy = ""] = id.split(":");
      const where = { repository, environment: unescaped(name) };
      const answer = await api().send("GET", `${await below(where)}/${policy}`, undefined, signal);
      if (answer === undefined) return undefined;
      const kind = answer.body.type === "tag" ? "tagPattern" : "branchPattern";
      const seen = { ...where, [kind]: answer.body.name };
      return { id, inputs: seen, state: { ...state, ...seen } };
    },
    async update(existing, inputs, { signal }) {
      const path = `${await below(inputs)}/${existing.id.split(":")[2]}`;
      await api().send("PUT", path, { name: inputs.branchPattern ?? inputs.tagPattern }, signal);
      return { ...existing.state, ...inputs };
    },
    async delete(existing, { signal }) {
      const path = `${await below(existing.inputs)}/${existing.id.split(":")[2]}`;
      await api().send("DELETE", path, undefined, signal);
    },
  };
}

/** Of another name or environment it is another variable; its value changes. */
export function environmentVariable(api: () => GitHubApi): ResourceHandler {
  const below = async (inputs: Properties) => `${await pathOf(api(), inputs)}/variables`;
  const stateOf = async (inputs: Properties, signal: AbortSignal): Promise<Fields> => {
    const answer = await api().send("GET", `${await below(inputs)}/${inputs.variableName}`, undefined, signal);
    const { created_at: createdAt, updated_at: updatedAt } = answer?.body ?? {};
    return { ...inputs, createdAt, updatedAt, repositoryId: await repositoryId(api(), inputs, signal) };
  };
  return {
    async check(news) {
      const inputs = present(news);
      return { inputs, failures: missing(inputs, ["environment", "repository", "value", "variableName"]) };
    },
    diff: replacedBy("environment", "variableName"),
    async create(inputs, { signal }) {
      const { variableName, value } = inputs;
      await api().send("POST", await below(inputs), { name: variableName, value }, signal);
      const id = [inputs.repository, escaped(inputs.environment), variableName].join(":");
      return { id, state: await stateOf(inputs, signal) };
    },
    async read(id, _inputs, state, { signal }) {
      const [repository = "", name = "", variableName = ""] = id.split(":");
      const where = { repository, environment: unescaped(name) };
      const answer = await api().send("GET", `${await below(where)}/${variableName}`, undefined, signal);
      if (answer === undefined) return undefined;
      const seen = { ...where, variableName, value: answer.body.value };
      return { id, inputs: seen, state: { ...state, ...seen } };
    },
    async update(_existing, inputs, { signal }) {
      const { variableName, value } = inputs;
      await api().send("PATCH", `${await below(inputs)}/${variableName}`, { name: variableName, value }, signal);
      return stateOf(inputs, signal);
    },
    async delete(existing, { signal }) {
      const path = `${await below(existing.inputs)}/${existing.inputs.variableName}`;
      await api().send("DELETE", path, undefined, signal);
    },
  };
}

async function pathOf(api: GitHubApi, { repository, environment: name }: Properties): Promise<string> {
  return `repos/${await api.owner()}/${String(repository)}/environments/${encodeURIComponent(String(name))}`;
}

async function repositoryId(api: GitHubApi, { repository }: Properties, signal: AbortSignal): Promise<unknown> {
  return (await api.send("GET", `repos/${await api.owner()}/${String(repository)}`, undefined, signal))?.body.id;
}

/** Compares all inputs; the named ones make another resource. */
function replacedBy(...names: readonly string[]) {
  return async ({ inputs: old }: { readonly inputs: Properties }, inputs: Properties) => {
    const all = [...new Set([...Object.keys(old), ...Object.keys(inputs)])];
    const changed = all.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(inputs[name]));
    return { changes: changed.length > 0, replaces: changed.filter((name) => names.includes(name)) };
  };
}

/** A colon separates the parts of an id. */
function escaped(part: unknown): string {
  return String(part).replaceAll(":", "??");
}

function unescaped(part: string): string {
  return part.replaceAll("??", ":");
}

function reviewersOf(value: unknown): Fields[] | undefined {
  const [first]: unknown[] = Array.isArray(value) ? value : [];
  if (!isFields(first)) return undefined;
  const of = (type: string, ids: unknown) => (Array.isArray(ids) ? ids.map((id) => ({ type, id })) : []);
  return [...of("Team", first.teams), ...of("User", first.users)];
}

/** An environment as the arguments would say it. */
function seenIn(body: Fields): Fields {
  const rules = (Array.isArray(body.protection_rules) ? body.protection_rules : []).filter(isFields);
  const required = rules.find(({ type }) => type === "required_reviewers");
  const reviewers = (Array.isArray(required?.reviewers) ? required.reviewers : []).filter(isFields);
  const ids = (type: string) =>
    reviewers
      .filter((reviewer) => reviewer.type === type)
      .map(({ reviewer }) => (isFields(reviewer) ? reviewer.id : undefined));
  const policy = body.deployment_branch_policy;
  return present({
    canAdminsBypass: body.can_admins_bypass,
    preventSelfReview: required?.prevent_self_review ?? false,
    waitTimer: rules.find(({ type }) => text(type) === "wait_timer")?.wait_timer,
    reviewers: required && [{ teams: ids("Team"), users: ids("User") }],
    deploymentBranchPolicy: isFields(policy)
      ? { protectedBranches: policy.protected_branches, customBranchPolicies: policy.custom_branch_policies }
      : undefined,
  });
}
