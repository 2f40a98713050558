// What a stack's program would ask for: it runs against Pulumi's mocks, as in a preview of a stack that is not there yet,
// so that neither the engine, nor a provider, nor a secret is needed.

import { generateKeyPairSync } from "node:crypto";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { isMap } from "../../net/values.ts";
import { GIT_KEY, NAMESPACE, SECRET_KEYS } from "../../settings/check.ts";
import { readYaml } from "../../settings/stackFile.ts";
import { isSealed } from "../../settings/words.ts";

/** A resource that the program would ask for. */
export interface Planned {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** Its inputs, secrets opened; what only an update knows is {@link UNKNOWN}. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Inputs that are secret or hold a secret. */
  readonly secrets: readonly string[];
  /** The URNs of what it depends on. */
  readonly dependencies: readonly string[];
}

/** The program as it would run. */
export interface Plan {
  readonly resources: readonly Planned[];
  /** ARM ids of what has to be there already. */
  readonly existing: readonly string[];
}

/** What stands for a value that is known only when something else was made. */
export const UNKNOWN: string = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A program to run. */
export interface Program {
  /** The folder of Pulumi.yaml. */
  readonly project: string;
  readonly projectName: string;
  readonly stack: string;
  /** The stack's configuration as its file has it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly subscriptionId: string;
  readonly tenantId: string;
  /** Reads a virtual network that has to be there; undefined where it cannot. */
  readonly readNetwork: (id: string) => Promise<Record<string, unknown> | undefined>;
}

const SECRETS = `${NAMESPACE}:secrets`;
/** What stands in the mocks for a secret that only the engine can open. */
const SEALED = "sealed";
/** How Pulumi marks a secret on its way to the engine. */
const SECRET = "4dabf18193072939515e22adb298388d";

let runs = 0;

/**
 * Runs the program, with the lock that is in the project's folder; one at a time, for it sets the process's folder.
 * @throws Error in the program's own words where it ends before all is registered.
 */
export async function plan(program: Program): Promise<Plan> {
  const { project, projectName, stack, config } = program;
  const existing: string[] = [];
  await pulumi.runtime.setMocks(
    {
      // What Azure would answer is not known, as in a preview.
      newResource: async ({ inputs, id }) => ({ id: id ?? "", state: inputs }),
      call: ({ token, inputs }) => answer(token, inputs, program, existing),
    },
    projectName,
    stack,
    true,
  );
  const secretKeys = SECRET_KEYS.filter((key) => config[key] !== undefined);
  pulumi.runtime.setAllConfig(textsOf(config), secretKeys);
  const resources: Planned[] = [];
  listen((planned) => resources.push(planned));
  const before = process.cwd();
  const restore = signInAnyhow();
  const speak = mute();
  try {
    process.chdir(project);
    runs += 1;
    // Another address, so that the program runs again.
    const { href } = pathToFileURL(resolve(project, await mainOf(project)));
    await import(`${href}?plan=${runs}`);
    await pulumi.runtime.disconnect();
  } finally {
    process.chdir(before);
    restore();
    speak();
  }
  return { resources, existing };
}

/** The program looks at the environment's sign-in first, of which other checks tell. @returns what undoes it. */
function signInAnyhow(): () => void {
  const own = Object.entries(process.env).filter(([name]) => /^(ARM|AZURE)_/.test(name));
  const someone = { ARM_CLIENT_ID: "client", ARM_TENANT_ID: "tenant", ARM_CLIENT_SECRET: "secret" };
  for (const [name] of own) delete process.env[name];
  Object.assign(process.env, someone);
  return () => {
    for (const name of Object.keys(someone)) delete process.env[name];
    Object.assign(process.env, Object.fromEntries(own));
  };
}

/** Without an engine Pulumi prints what a program logs, of which other checks tell. @returns what undoes it. */
function mute(): () => void {
  const { log, warn, error } = console;
  const nothing = () => {};
  Object.assign(console, { log: nothing, warn: nothing, error: nothing });
  return () => void Object.assign(console, { log, warn, error });
}

async function mainOf(project: string): Promise<string> {
  const { main } = (await readYaml(join(project, "Pulumi.yaml"))) ?? {};
  return typeof main === "string" ? main : "index.ts";
}

/** A configuration as the engine hands it over: texts. */
function textsOf(config: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(opened(config)).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** A configuration with something in place of what only the engine can open, but without the list of secrets as a whole. */
export function opened(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key, value]) => !(key === SECRETS && isSealed(value)))
      .map(([key, value]) => [key, key === GIT_KEY && isSealed(value) ? someKey() : open(value)]),
  );
}

/** A key of the form that the settings ask for. */
function someKey(): string {
  const encoding = { type: "pkcs8", format: "pem" } as const;
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export(encoding).toString();
}

/** The same with a text in place of every sealed value. */
function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open);
  if (!isMap(value)) return value;
  if (isSealed(value)) return SEALED;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, open(item)]));
}

/** What functions of providers answer. */
async function answer(
  token: string,
  inputs: Record<string, unknown>,
  { subscriptionId, tenantId, readNetwork }: Program,
  existing: string[],
): Promise<Record<string, unknown>> {
  switch (token) {
    case "azure-native:authorization:getClientConfig":
      return { subscriptionId, tenantId, clientId: UNKNOWN, objectId: UNKNOWN };
    case "azure-native:network:getVirtualNetwork": {
      const { resourceGroupName: group, virtualNetworkName: name } = inputs;
      const id = `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.Network/virtualNetworks/${name}`;
      existing.push(id);
      return (await readNetwork(id)) ?? { id };
    }
    case "gitops:index:getExisting":
      existing.push(String(inputs.id));
      return { id: inputs.id, faults: [], warnings: [] };
    case "gitops:index:getForeignImages":
      return { images: [], more: 0, unread: [] };
    case "github:index/getRepository:getRepository": {
      const name = String(inputs.fullName).split("/").at(-1);
      return { id: name, name, fullName: inputs.fullName };
    }
    default:
      return {};
  }
}

type Request = { [K in "getType" | "getName" | "getParent"]: () => string } & {
  getDependenciesList(): string[];
  getCustom(): boolean;
  getObject(): { toJavaScript(): Record<string, unknown> };
};

/** Mocks are told of no dependencies, but the engine is. */
function listen(heard: (planned: Planned) => void): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: Request, ...rest: unknown[]): unknown;
    newUrn(parent: string, type: string, name: string): string;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, ...rest) => {
    const [type, name] = [request.getType(), request.getName()];
    if (request.getCustom()) {
      const object = request.getObject().toJavaScript();
      heard({
        type,
        name,
        urn: monitor.newUrn(request.getParent(), type, name),
        inputs: unsealed(object) as Record<string, unknown>,
        secrets: Object.keys(object).filter((key) => JSON.stringify(object[key]).includes(SECRET)),
        dependencies: request.getDependenciesList(),
      });
    }
    return register(request, ...rest);
  };
}

function unsealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unsealed);
  if (!isMap(value)) return value;
  if (SECRET in value) return "value" in value ? unsealed(value.value) : UNKNOWN;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unsealed(item)]));
}
