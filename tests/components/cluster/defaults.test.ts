// docs/components/cluster.md: every default that is expected has its setting and its test, and is what the program registers.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, describe, it } from "mocha";
import { armTypes } from "../../../rehearsal/providers/azure-native/types/index.ts";
import { stackFileSchema } from "../../../settings/jsonSchema.ts";
import { ROOT } from "../../support/engine.ts";
import { assertNamedTests, tableOf } from "../../support/namedTests.ts";
import { type Deployment, deploy } from "../deployment.ts";
import { EVERYTHING } from "../everything.ts";
import { run } from "../programRun.ts";
import { shipped } from "../shipped.ts";

const PAGE = join(ROOT, "docs/components/cluster.md");
const [header = [], ruler = [], ...rows] = tableOf(readFileSync(PAGE, "utf8"), "## Expected defaults");

const STACKS = {
  least: {
    deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
    flux: { repository: "https://github.com/acme/fleet" },
  },
  prod: { ...shipped("prod"), gitToken: "token" },
  dev: shipped("dev"),
} as const;

/** A value that a row says: of which stack and resource, where in its inputs, what. */
interface Said {
  readonly stack: keyof typeof STACKS;
  readonly type: string;
  /** The resource's whole name, or how it ends; undefined where there is one of its type. */
  readonly name: string | undefined;
  readonly path: readonly string[];
  /** JSON, or `none`. */
  readonly value: string;
}

const SAID = /^(?:(prod|dev) )?([A-Z]\w+)(?:\(([^)]+)\))?\.(\S+) = (.+)$/;

const saidIn = (cell: string): Said[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => {
    const [, stack = "least", type = "", name, path = "", value = ""] = SAID.exec(text) ?? assert.fail(text);
    return { stack: stack as Said["stack"], type, name, path: path.split(/\.|(?=\[)/), value };
  });

/** What stands at a path; `[0]` is an item of a list, and `[]` all of them. */
function at(value: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return value;
  if (first === "[]") return (value as unknown[]).map((item) => at(item, rest));
  const key = first.replace(/[[\]]/g, "");
  return at((value as Record<string, unknown> | undefined)?.[key], rest);
}

interface Form {
  readonly properties?: Readonly<Record<string, Form>>;
  readonly items?: Form;
  readonly anyOf?: readonly Form[];
}

/** Whether the settings' form has a setting, such as `cluster.userPools[].name`. */
function isSetting(form: Form | undefined, [first, ...rest]: readonly string[]): boolean {
  if (form === undefined) return false;
  if (first === undefined) return true;
  const inner = first === "[]" ? form.items : form.properties?.[first];
  return isSetting(inner, rest) || (form.anyOf ?? []).some((one) => isSetting(one, [first, ...rest]));
}

describe("the expected defaults", () => {
  const deployments = new Map<string, Deployment<unknown>>();
  before(async () => {
    for (const [stack, config] of Object.entries(STACKS)) deployments.set(stack, await run(config));
  });

  it("stand in a table of their value, setting and test", () => {
    assert.deepEqual(header, ["default", "what is asked for", "setting", "test"]);
    assert.equal(ruler.length, header.length);
    assert.ok(rows.length > 25, `${rows.length} rows`);
    for (const row of rows) assert.equal(row.length, header.length, row[0]);
  });

  for (const [what = "", values = "", setting = "", tests = ""] of rows)
    describe(what, () => {
      it("registers what the row says", () => {
        const said = saidIn(values);
        assert.notEqual(said.length, 0);
        for (const { stack, type, name, path, value } of said) {
          const all = deployments.get(stack)?.resources ?? [];
          const found = all.filter(
            (one) =>
              one.type.endsWith(`:${type}`) &&
              (name === undefined || one.name === name || one.name.endsWith(`-${name}`)),
          );
          assert.equal(found.length, 1, `${stack}: ${type}(${name ?? ""}) is ${found.length} resources`);
          const expected: unknown = value === "none" ? undefined : JSON.parse(value);
          assert.deepEqual(at(found[0]?.inputs, path), expected, `${stack}: ${type}.${path.join(".")}`);
        }
      });

      it("is changed by a setting that there is, or always so", () => {
        if (setting === "always so") return;
        const names = [...setting.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
        assert.notEqual(names.length, 0);
        const { properties } = (stackFileSchema() as { properties: { config: Form } }).properties.config;
        for (const name of names) {
          const [subject = "", ...path] = name.split(/\.|(?=\[)/);
          assert.ok(isSetting(properties?.[`aks-gitops:${subject}`], path), name);
        }
      });

      it("names tests that there are", () => assertNamedTests(tests, dirname(PAGE)));
    });
});

describe("the resource providers", () => {
  it("to register are those of all that the components make", async () => {
    const types = new Set<string>();
    for (const make of Object.values(EVERYTHING))
      for (const { type } of (await deploy(() => make({}, {}))).resources) types.add(type);
    const namespaces = [...types].flatMap((type) => {
      const [, namespace] =
        /\/providers\/(Microsoft\.\w+)\/(?!.*\/providers\/)/.exec(armTypes.get(type)?.path ?? "") ?? [];
      return namespace === undefined || namespace === "Microsoft.Authorization" ? [] : [namespace];
    });
    // The plugin makes clusters and pools.
    const made = new Set([...namespaces, "Microsoft.ContainerService"]);
    const [, block = ""] =
      /^for provider in ([\s\S]*?)^do az provider register/m.exec(readFileSync(PAGE, "utf8")) ?? [];
    assert.deepEqual(block.match(/Microsoft\.\w+/g), [...made].sort());
  });
});
