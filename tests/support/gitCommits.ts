// GitCommit as the plugin would be asked for it, on a Git host of a test.
import { strict as assert } from "node:assert";
import type { Context, Existing, Properties } from "../../plugin/handler.ts";
import { gitCommit } from "../../provider/git/gitCommit.ts";

/**
 * What a test asks of the resource `fleet` of a stack.
 * @param url the repository's, when it is asked for.
 */
export function gitCommits(url: () => string, stack = "prod") {
  /** What was logged since the test emptied it. */
  const logs: string[] = [];
  const context: Context = {
    urn: `urn:pulumi:${stack}::aks-gitops::gitops:index:GitCommit::fleet`,
    type: "gitops:index:GitCommit",
    name: "fleet",
    preview: false,
    signal: new AbortController().signal,
    log: (severity, message) => logs.push(`${severity}: ${message}`),
  };
  const inputs = (more: Properties): Properties => ({
    ...{ url: url(), branch: "main", message: `Update stack ${stack}` },
    ...more,
  });
  return {
    logs,
    inputs,
    context,
    async create(more: Properties): Promise<Existing> {
      const given = inputs(more);
      return { ...(await gitCommit.create(given, context)), inputs: given };
    },
    async update(existing: Existing, more: Properties): Promise<Existing> {
      const given = inputs(more);
      return { id: existing.id, inputs: given, state: (await gitCommit.update?.(existing, given, context)) ?? {} };
    },
    remove: (existing: Existing, successor?: Existing) => gitCommit.delete?.(existing, context, successor),
    preview: (more: Properties) => gitCommit.preview?.(inputs(more), undefined, { ...context, preview: true }),
    /** What a refresh makes of a resource. */
    async refresh({ id, inputs, state }: Existing) {
      const found = await gitCommit.read?.(id, inputs, state, context);
      assert.ok(found !== undefined);
      return found;
    },
  };
}
