// github:RepositoryDeployKey.

import type { Existing, Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, present } from "../shared/values.ts";
import type { Answer, GitHubApi } from "./api.ts";

/** Any change replaces: GitHub cannot change a key. */
export function deployKey(api: () => GitHubApi): ResourceHandler {
  return {
    async check(news) {
      return { inputs: { readOnly: true, ...present(news) } };
    },
    async create(inputs, { signal }) {
      const { key, title, readOnly, repository } = inputs;
      const path = await keysPath(api(), String(repository));
      const answer = await api().send("POST", path, { key: trimmed(key), title, read_only: readOnly }, signal);
      const id = `${String(repository)}:${String(answer?.body.id)}`;
      return { id, state: stateOf(inputs, answer) };
    },
    async read(id, inputs, state, { signal }) {
      const [repository = "", key = ""] = id.split(":");
      const answer = await api().send("GET", `${await keysPath(api(), repository)}/${key}`, undefined, signal);
      if (answer === undefined) return undefined;
      const seen = { key: answer.body.key, readOnly: answer.body.read_only, repository, title: answer.body.title };
      // GitHub drops the comment of a key; that is no drift.
      const same = withoutComment(inputs.key) === withoutComment(seen.key);
      const now = { ...seen, key: same ? inputs.key : seen.key };
      return { id, inputs: now, state: { ...state, ...now, etag: answer.etag } };
    },
    async delete(existing: Existing, { signal }) {
      const [repository = "", key = ""] = existing.id.split(":");
      await api().send("DELETE", `${await keysPath(api(), repository)}/${key}`, undefined, signal);
    },
  };
}

async function keysPath(api: GitHubApi, repository: string): Promise<string> {
  return `repos/${await api.owner()}/${repository}/keys`;
}

function stateOf(inputs: Properties, answer: Answer | undefined): Fields {
  return { ...inputs, etag: answer?.etag ?? "" };
}

function trimmed(key: unknown): unknown {
  return typeof key === "string" ? key.trim() : key;
}

function withoutComment(key: unknown): string {
  return String(key).trim().split(/\s+/).slice(0, 2).join(" ");
}
