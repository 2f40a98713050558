// The policy pack in the real engine: each guard rail with a resource that it lets pass and one that it refuses.
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { GUARDS } from "../../policy/guards.ts";
import { FakeCloud } from "../rehearsal/providers/fakeCloud.ts";
import { ENGINE_TIMEOUT, ROOT, runPulumi, succeed, writeProject } from "../support/engine.ts";
import { CASES, type Resource, TOKEN, UNKNOWN } from "./cases.ts";

const PACK = join(ROOT, "policy");

/** Registers what things.json names; a value `$unknown` is one that only an update would know. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";

const { things, outputs } = JSON.parse(readFileSync("things.json", "utf8"));
const later = new ResourceGroup("later", { location: "westeurope", tags: { owner: "platform" } }).id;
const valueOf = (value) => {
  if (value === "${UNKNOWN}") return later;
  if (value?.$secret !== undefined) return pulumi.secret(value.$secret);
  if (Array.isArray(value)) return value.map(valueOf);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, valueOf(item)]));
};
for (const [name, { type, props, logged }] of Object.entries(things)) {
  const resource = new pulumi.CustomResource(type, name, valueOf(props));
  if (logged)
    new pulumi.CustomResource("azure-native:monitor:DiagnosticSetting", name + "-logs", {
      name, resourceUri: resource.id, workspaceId: later, logs: [{ category: "guard", enabled: true }],
    });
}
export const stackOutputs = valueOf(outputs);
`;

interface Things {
  readonly [name: string]: Resource & { readonly logged?: boolean };
}

/** What is told of resources: \`level guard resource\`. */
const told = (output: string) =>
  [...output.matchAll(/^\s+- \[(\w+)\]\s+([\w-]+)\s+\((?:[^\s]+): ([\w-]+)\)$/gm)]
    .map(([, level, guard, resource]) => `${level} ${guard} ${resource}`)
    .sort();

describe("the policy pack in the real engine", () => {
  let cloud: FakeCloud;
  let project: string;
  let config: string;

  const preview = async (stack: string, things: Things, outputs: Record<string, unknown>, ...more: string[]) => {
    await writeFile(join(project, "things.json"), JSON.stringify({ things, outputs }));
    const args = ["preview", "--stack", stack, "--policy-pack", PACK, ...more];
    const { code, stdout, stderr } = await runPulumi(project, args, cloud.env);
    return { code, output: stdout + stderr };
  };

  /** One resource of each case. */
  const all = (which: "passes" | "fails" | "unknown"): Things =>
    Object.fromEntries(
      Object.entries(CASES).flatMap(([name, one]) => {
        const resource = one[which];
        if (resource === undefined) return [];
        const logged =
          resource.type.endsWith(":ManagedCluster") && !(which === "fails" && name === "cluster-logs-are-kept");
        return [[name, { ...resource, logged }]];
      }),
    );

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    cloud = await FakeCloud.start();
    project = await writeProject(
      cloud.engine.directory,
      "guarded",
      { "index.ts": PROGRAM },
      { gitops: join(ROOT, "provider") },
    );
    config = join(project, "policy.json");
    await writeFile(config, JSON.stringify({ "tags-are-there": { tags: ["owner"] } }));
    for (const stack of ["prod", "dev"]) await succeed(project, ["stack", "init", stack], cloud.env);
  });

  after(() => cloud?.close());

  it("lets a stack pass that keeps to all of them, what it does not know yet left aside", async () => {
    const things = {
      ...all("passes"),
      ...Object.fromEntries(Object.entries(all("unknown")).map(([name, thing]) => [`${name}-later`, thing])),
    };
    const outputs = { token: { $secret: TOKEN }, url: "https://example.com" };
    const { code, output } = await preview("prod", things, outputs, "--policy-pack-config", config);
    assert.deepEqual(told(output), [], output);
    assert.equal(code, 0, output);
  });

  it("refuses each resource that does not, by the one guard that it is a case of", async () => {
    const { code, output } = await preview("prod", all("fails"), { token: TOKEN }, "--policy-pack-config", config);
    const expected = GUARDS.map(({ name, level }) =>
      name === "outputs-hide-credentials" ? `${level} ${name} guarded-prod` : `${level} ${name} ${name}`,
    );
    assert.deepEqual(told(output), expected.sort(), output);
    assert.notEqual(code, 0);
  });
});
