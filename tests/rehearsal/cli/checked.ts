// Runs `rehearse check`, and changes a rehearsal as its users would.
import { strict as assert } from "node:assert";
import type { Ran } from "../../../rehearsal/run.ts";
import type { Rehearsal } from "../../support/rehearsal.ts";

export interface Checked extends Ran {
  /** The first line of every fault. */
  readonly faults: readonly string[];
}

/** Runs `check`, whose exit status says whether its page and its data name faults. */
export async function check(rehearsal: Rehearsal): Promise<Checked> {
  const ran = await rehearsal.rehearse("check");
  const { faults, lookedAt } = rehearsal.report();
  assert.equal(ran.code, faults.length === 0 ? 0 : 1, `${ran.stdout}\n${ran.stderr}`);
  assert.ok(Date.now() - Date.parse(lookedAt) < 60_000, "the report is this one's");
  for (const fault of faults) assert.ok(ran.stdout.includes(fault.split("\n")[0] ?? fault), fault);
  assert.doesNotMatch(ran.stdout + ran.stderr, /^ +at .*:\d+:\d+\)?$/m);
  return { ...ran, faults: faults.map((fault) => fault.split("\n")[0] ?? fault) };
}

export const isGreen = async (rehearsal: Rehearsal): Promise<Checked> => {
  const checked = await check(rehearsal);
  assert.deepEqual(checked.faults, []);
  return checked;
};

export const includes = ({ faults }: Checked, pattern: RegExp) =>
  assert.ok(
    faults.some((fault) => pattern.test(fault)),
    `${pattern} in\n${faults.join("\n")}`,
  );

export const inFlux = ["-n", "flux-system"] as const;

/** Commits a change of the repository as a user would, and gives the commit. */
export const commit = (rehearsal: Rehearsal, script: string) =>
  rehearsal.output(
    "bash",
    "--norc",
    "-euc",
    `git pull -q; ${script}; git add -A; git commit -qm "Change by hand"; git push -q; git rev-parse HEAD`,
  );

export const note = (stack: string) =>
  `cd apps/${stack}; printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: by-hand, namespace: demo}\\n' > by-hand.yaml; ` +
  "echo '  - by-hand.yaml' >> kustomization.yaml";

/** Every Kustomization has applied this commit. */
export function assertApplied(rehearsal: Rehearsal, head: string): void {
  const { kustomizations, repository } = rehearsal.report();
  assert.equal(repository.commit, head);
  assert.equal(kustomizations.length, 3);
  for (const { name, revision, ready } of kustomizations)
    assert.deepEqual([name, revision, ready], [name, `main@sha1:${head}`, true]);
}
