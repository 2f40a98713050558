import { strict as assert } from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";
import type { Rule, TypeDefinition } from "../../../../rehearsal/cloud/arm/schema.ts";
import {
  choice,
  fixed,
  flag,
  hidden,
  kept,
  list,
  map,
  number,
  object,
  or,
  readOnly,
  reference,
  required,
  text,
} from "../../../../rehearsal/cloud/arm/schema.ts";
import { definitions } from "../../../../rehearsal/cloud/arm/types/index.ts";
import { changedFixed, complete, read, references, shown } from "../../../../rehearsal/cloud/arm/validate.ts";
import { ServiceError } from "../../../../rehearsal/cloud/types.ts";

const pool = object("Pool", {
  size: fixed(required(text({ min: 2, pattern: /^S/ }))),
  mode: or(choice("System", "User"), "User"),
  count: kept(number(1, 5)),
  state: readOnly(text()),
  secret: hidden(text()),
  limits: or(object("Limits", { hard: or(flag(), true) }), {}),
  subnet: reference("Microsoft.Network/virtualNetworks/subnets"),
  labels: map(text()),
  zones: list(text()),
});

function fault(value: unknown): string {
  try {
    read(pool, value, "properties");
  } catch (error) {
    if (error instanceof ServiceError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("simulated ARM: schema", () => {
  it("reads documented values without case, spells them as the service does, and drops nulls", () => {
    assert.deepEqual(read(pool, { size: "S1", mode: "SYSTEM", count: null }, ""), { size: "S1", mode: "System" });
  });

  const faults: [value: unknown, fault: RegExp][] = [
    [
      { size: "S1", wrong: 1 },
      /^InvalidRequestContent: .*Could not find member 'wrong' on object of type 'Pool'\. Path 'properties\.wrong'/,
    ],
    [{}, /^InvalidRequestContent: .*Required property 'size' not found in JSON\. Path 'properties'/],
    [{ size: null }, /^InvalidRequestContent: .*Required property 'size'/],
    [{ size: "S1", state: "x" }, /^InvalidRequestContent: .*'properties\.state' is read-only/],
    [{ size: "S" }, /^InvalidParameter: The value of parameter properties\.size is invalid/],
    [{ size: "T1" }, /^InvalidParameter: .*pattern/],
    [{ size: 5 }, /^InvalidRequestContent: .*'System\.String'/],
    [
      { size: "S1", mode: "Gateway" },
      /^InvalidParameter: .*'Gateway' is not one of the supported values: System, User/,
    ],
    [{ size: "S1", count: 6 }, /^InvalidParameter: .*6 is not within 1 and 5/],
    [{ size: "S1", count: 1.5 }, /^InvalidRequestContent: .*'System\.Int32'/],
    [{ size: "S1", zones: "1" }, /^InvalidRequestContent: .*'properties\.zones'/],
    [{ size: "S1", labels: [] }, /^InvalidRequestContent: .*'properties\.labels'/],
    [
      { size: "S1", limits: { hard: "yes" } },
      /^InvalidRequestContent: .*'System\.Boolean'.*'properties\.limits\.hard'/,
    ],
    [
      { size: "S1", subnet: "nodes" },
      /^LinkedInvalidPropertyId: Property id 'nodes' at path 'properties\.subnet' is invalid/,
    ],
    [[], /^InvalidRequestContent: /],
  ];
  for (const [value, expected] of faults)
    it(`refuses ${JSON.stringify(value)}`, () => assert.match(fault(value), expected));

  it("never repeats the value of a hidden property that it refuses", () => {
    assert.doesNotMatch(fault({ size: "S1", secret: 4711 }), /4711/);
  });

  it("fills in defaults, keeps what a PUT may leave out, and never shows hidden properties", () => {
    const old = { size: "S1", count: 3, state: "Running", mode: "System" };
    const whole = complete(pool, { size: "S1", secret: "x" }, old);
    assert.deepEqual(whole, {
      size: "S1",
      mode: "User",
      count: 3,
      state: "Running",
      secret: "x",
      limits: { hard: true },
    });
    assert.deepEqual(shown(pool, whole), {
      size: "S1",
      mode: "User",
      count: 3,
      state: "Running",
      limits: { hard: true },
    });
  });

  it("names the first property that cannot be changed", () => {
    assert.equal(changedFixed(pool, { size: "S2" }, { size: "S1" }, "properties"), "properties.size");
    assert.equal(
      changedFixed(pool, { size: "S1", mode: "User" }, { size: "S1", mode: "System" }, "properties"),
      undefined,
    );
  });

  it("finds references with their paths", () => {
    const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n";
    assert.deepEqual(
      references(pool, { subnet: id }).map(({ path, id: found }) => [path, found]),
      [["subnet", id]],
    );
  });
});

// Microsoft's published types are further evidence, where they are at hand.
const folder = new URL("../../../../../shared/arm/", import.meta.url);

interface Published {
  readonly $type: string;
  readonly properties?: Readonly<Record<string, { type: { $ref: number }; flags?: number }>>;
  readonly additionalProperties?: { $ref: number };
  readonly itemType?: { $ref: number };
  readonly elements?: readonly { $ref: number }[];
  readonly value?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minValue?: number;
  readonly maxValue?: number;
}

(existsSync(folder) ? describe : describe.skip)("simulated ARM: schema against the published types", () => {
  const data = existsSync(folder)
    ? (JSON.parse(readFileSync(new URL("types.json", folder), "utf8")) as {
        types: Published[];
        resources: Record<string, number>;
      })
    : { types: [], resources: {} };
  const of = (ref: { $ref: number } | undefined) => data.types[ref?.$ref ?? -1];

  /** How a rule lets more through than the published type, or disagrees with it. */
  function* disagreements(rule: Rule, type: Published | undefined, path: string): Generator<string> {
    if (type === undefined) return yield `${path}: not published`;
    const kinds: Record<Rule["kind"], string[]> = {
      text: ["StringType"],
      reference: ["StringType"],
      choice: ["UnionType", "StringLiteralType", "StringType"],
      number: ["IntegerType"],
      flag: ["BooleanType"],
      list: ["ArrayType"],
      map: ["ObjectType"],
      object: ["ObjectType"],
    };
    // Names of which it lists some, and takes others.
    const isOpen = type.elements?.some((one) => of(one)?.$type === "StringType") ?? false;
    if (rule.kind === "text" && type.$type === "UnionType" && (rule.readOnly || isOpen)) return;
    if (!kinds[rule.kind].includes(type.$type)) return yield `${path}: ${rule.kind} here, ${type.$type} there`;
    if (rule.kind === "choice" && type.$type === "UnionType") yield* choices(rule.values, type, path);
    if (rule.kind === "text" && !rule.readOnly) yield* texts(rule, type, path);
    if (rule.kind === "number") {
      if (type.minValue !== undefined && (rule.min ?? Number.NEGATIVE_INFINITY) < type.minValue)
        yield `${path}: minimum`;
      if (type.maxValue !== undefined && (rule.max ?? Number.POSITIVE_INFINITY) > type.maxValue)
        yield `${path}: maximum`;
    }
    if (rule.kind === "list") yield* disagreements(rule.item, of(type.itemType), `${path}[]`);
    if (rule.kind === "map") yield* disagreements(rule.value, of(type.additionalProperties), `${path}.*`);
    if (rule.kind === "object") yield* members(rule, type, path);
  }

  function* choices(values: readonly string[], type: Published, path: string): Generator<string> {
    const literals = (type.elements ?? [])
      .map(of)
      .flatMap((one) => (one?.$type === "StringLiteralType" ? [one.value] : []));
    if (literals.length > 0 && JSON.stringify([...values].sort()) !== JSON.stringify([...literals].sort()))
      yield `${path}: ${values} here, ${literals} there`;
  }

  function* texts(rule: Extract<Rule, { kind: "text" }>, type: Published, path: string): Generator<string> {
    const free = rule.pattern === undefined;
    if (type.pattern !== undefined && free) yield `${path}: the pattern ${type.pattern} is missing`;
    if (type.minLength !== undefined && free && (rule.min ?? 0) < type.minLength)
      yield `${path}: shorter than ${type.minLength}`;
    if (type.maxLength !== undefined && free && (rule.max ?? Number.POSITIVE_INFINITY) > type.maxLength)
      yield `${path}: longer`;
  }

  function* members(rule: Extract<Rule, { kind: "object" }>, type: Published, path: string): Generator<string> {
    for (const [name, property] of Object.entries(rule.properties)) {
      const there = type.properties?.[name];
      // Texts for people are left out there, and so is every property of that name.
      if (name === "description") continue;
      if (there === undefined && !type.additionalProperties) {
        yield `${path}.${name}: no such property`;
        continue;
      }
      if (there === undefined) continue;
      const flags = there.flags ?? 0;
      if (flags & 2 && !property.readOnly) yield `${path}.${name}: read-only there`;
      if (!property.readOnly) yield* disagreements(property, of(there.type), `${path}.${name}`);
    }
    for (const [name, { flags = 0 }] of Object.entries(type.properties ?? {}))
      if (flags & 1 && !(flags & 10) && !rule.properties[name]?.required) yield `${path}.${name}: required there`;
  }

  for (const definition of definitions)
    it(`${definition.type} agrees with them`, () => {
      const key = Object.keys(data.resources).find(
        (one) => one.toLowerCase() === `${definition.type}@${definition.version}`.toLowerCase(),
      );
      assert.ok(key, `${definition.type}@${definition.version} is not published`);
      assert.deepEqual([...disagreements(definition.body, data.types[data.resources[key] ?? -1], "")], []);
    });

  it("accepts nothing that their validator rejects", async () => {
    const { faults } = (await import(new URL("validate.mjs", folder).href)) as { faults(line: object): string[] };
    let accepted = 0;
    for (const definition of definitions)
      for (let seed = 0; seed < 200; seed++) {
        const body = sample(definition.body, randomFrom(seed));
        if (!passes(definition, body)) continue;
        accepted++;
        const scope = "/subscriptions/s/resourceGroups/g/providers/";
        const [namespace, ...types] = definition.type.split("/");
        const url =
          namespace === "Microsoft.Resources"
            ? "/subscriptions/s/resourceGroups/g"
            : `${scope}${namespace}/${types.map((type) => `${type}/name`).join("/")}`;
        const found = faults({ method: "PUT", url: `${url}?api-version=${definition.version}`, body });
        // It takes a list that is open to other words for a closed one.
        const counted = found.filter((one) => !/is none of .*"StringType"$|\.description: no such property$/.test(one));
        assert.deepEqual(counted, [], JSON.stringify(body));
      }
    assert.ok(accepted > 1000, `only ${accepted} samples were accepted`);
  });
});

function passes(definition: TypeDefinition, body: unknown): boolean {
  try {
    read(definition.body, body, "");
    return true;
  } catch (error) {
    if (error instanceof ServiceError) return false;
    throw error;
  }
}

/** Numbers between 0 and 1 that are the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A value for a rule: mostly right, now and then wrong. */
function sample(rule: Rule, random: () => number): unknown {
  if (random() < 0.004) return random() < 0.5 ? 7 : "odd";
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  switch (rule.kind) {
    case "text":
      return pick([
        "a",
        "Standard",
        "10.0.0.0/16",
        "10.0.0.10",
        "01:00",
        "+00:00",
        "33%",
        "2026-01-01",
        "1.33",
        "https://x.example/y",
        "99999999-2222-4333-8444-555555555555",
      ]);
    case "choice": {
      const value = pick(rule.values);
      return random() < 0.3 ? value.toUpperCase() : value;
    }
    case "number":
      return (rule.min ?? 0) + Math.floor(random() * 6);
    case "flag":
      return random() < 0.5;
    case "list":
      return [sample(rule.item, random)];
    case "map":
      return { [rule.keys === undefined ? "key" : "/subscriptions/s/x"]: sample(rule.value, random) };
    case "reference":
      return "/subscriptions/s/resourceGroups/g";
    case "object":
      return Object.fromEntries(
        Object.entries(rule.properties)
          .filter(([, property]) => (property.readOnly ? random() < 0.002 : property.required || random() < 0.25))
          .map(([name, property]) => [name, sample(property, random)]),
      );
  }
}
