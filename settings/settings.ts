import * as pulumi from "@pulumi/pulumi";
import { type Check, type Fault, map, Place, text } from "./check.ts";
import { checkRules, type Draft, hasZones } from "./rules.ts";
import { type Form, fields, type Sealed } from "./schema.ts";

import { warnings } from "./warnings.ts";

export type { Fault } from "./check.ts";

/** The program's namespace of configuration keys. */
const NAMESPACE = "aks-gitops";

/** A key whose value must be a secret. */
const GIT_TOKEN = `${NAMESPACE}:gitToken`;

/** A secret's value: a text, secret within the engine; sealed where a stack file was read without it. */
export type SecretText = pulumi.Input<string> | Sealed;

/** A type with every property readonly, at any depth. */
type Frozen<T> = T extends readonly (infer I)[]
  ? readonly Frozen<I>[]
  : T extends Record<string, unknown>
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

type FrozenForm = Frozen<Omit<Form, "flux" | "secrets" | "cluster" | "sops" | "gitToken">>;

/** A chart to mirror and release. */
export type ChartSetting = FrozenForm["charts"][number];
/** The cluster's settings. */
export type ClusterSettings = Frozen<Form["cluster"]> & { readonly defender: boolean };
/** The registry's settings, and whether Azure spreads it over zones (Premium, where the region has them). */
export type RegistrySettings = FrozenForm["registry"] & { readonly zoneRedundant: boolean };
/** Vault and key; purge protection has its default by now. */
export type SopsSettings = Frozen<Form["sops"]> & { readonly purgeProtection: boolean };
/** The demo application. */
export type DemoSetting = NonNullable<FrozenForm["demo"]>;

/** How Flux comes into the cluster and where it reads. */
export interface FluxSettings extends Omit<Frozen<Form["flux"]>, "auth"> {
  /** How Flux signs in to the repository: with a key of its own over SSH, or with a token over HTTPS. */
  readonly auth: "deployKey" | "token";
  /** `https://github.com/<owner>/<name>`, with `.git` where it was written so: Flux reads it by this very address. */
  readonly repository: string;
  /** The repository's owner on GitHub. */
  readonly owner: string;
  /** The repository's name. */
  readonly name: string;
  /** The folder that the cluster reconciles: `clusters/<stack>`. */
  readonly path: string;
}

/** A Kubernetes secret that is encrypted into the repository. */
export interface SecretSetting extends Frozen<Omit<Form["secrets"][number], "data">> {
  /** Values by key. */
  readonly data: Readonly<Record<string, SecretText>>;
}

/** A stack's whole configuration, checked, with every default filled in; frozen. */
export interface Settings extends FrozenForm {
  readonly project: string;
  readonly stack: string;
  /** Azure's region, from `azure-native:location`. */
  readonly location: string;
  readonly cluster: ClusterSettings;
  readonly registry: RegistrySettings;
  readonly flux: FluxSettings;
  readonly sops: SopsSettings;
  /** The token that the extension's Flux reads the repository with, where it is to. */
  readonly gitToken?: SecretText | undefined;
  /** All images to mirror but those of charts: the listed ones and the demo's, each once. */
  readonly images: readonly string[];
  readonly secrets: readonly SecretSetting[];
}

/** A configuration, however it was read. */
export interface SettingsSource {
  readonly project: string;
  readonly stack: string;
  /**
   * Values by whole key (`aks-gitops:charts`), as maps and lists or as the JSON text that the engine makes of them;
   * other namespaces' keys may be there too.
   */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whole keys whose values hold a secret in plain text; faults do not show them. Default none. */
  readonly secretKeys?: readonly string[];
}

/** A configuration with faults; the message lists all of them. */
export class SettingsError extends Error {
  readonly faults: readonly Fault[];
  constructor(stack: string, faults: readonly Fault[]) {
    super(describe(stack, faults));
    this.name = "SettingsError";
    this.faults = faults;
  }
}

/**
 * The settings of a stack.
 * @throws SettingsError naming every fault.
 */
export function parseSettings(source: SettingsSource): Settings {
  const { project, stack, secretKeys = [] } = source;
  const config = Object.fromEntries(Object.entries(source.config).map(([key, value]) => [key, parsed(value)]));
  const faults: Fault[] = [];
  stackName(stack, new Place("stack", faults));
  const location = region(config["azure-native:location"] ?? undefined, new Place("azure-native:location", faults));
  const place = new TopPlace(faults, secretKeys);
  const draft = checkForm(config, place);
  checkSecrecy(secretKeys, config, place);
  checkRules(draft, location, place);
  checkOwner(config["github:owner"], draft.flux?.repository, new Place("github:owner", faults));
  if (faults.length > 0) throw new SettingsError(stack, faults);
  // Without a fault nothing that is required is missing.
  return freeze(complete(draft as Form, { project, stack, location: location as string }));
}

/**
 * The settings of the stack that the engine runs; what may not do what was meant is logged as a warning.
 * @throws pulumi.RunError naming every fault, so that the engine shows them without a stack trace.
 */
export function readSettings(): Settings {
  const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  const config = pulumi.runtime.allConfig();
  try {
    const settings = parseSettings({
      project: pulumi.getProject(),
      stack: pulumi.getStack(),
      config,
      secretKeys: Object.keys(config).filter((key) => isConfigSecret(key)),
    });
    for (const warning of warnings(settings)) pulumi.log.warn(warning);
    const gitToken = settings.gitToken === undefined ? {} : { gitToken: pulumi.secret(settings.gitToken as string) };
    return Object.freeze({ ...settings, ...gitToken, secrets: Object.freeze(settings.secrets.map(withSecretData)) });
  } catch (error) {
    throw error instanceof SettingsError ? new pulumi.RunError(error.message) : error;
  }
}

/** The place of the namespace itself, whose keys stand behind a colon. */
class TopPlace extends Place {
  private readonly secretKeys: readonly string[];
  constructor(faults: Fault[], secretKeys: readonly string[] = []) {
    super(NAMESPACE, faults);
    this.secretKeys = [...secretKeys, `${NAMESPACE}:secrets`, GIT_TOKEN];
  }
  override at(part: string | number): Place {
    const key = `${this.key}:${part}`;
    return new Place(key, this.faults, this.secretKeys.includes(key));
  }
}

// It names resources and folders.
const stackName: Check<string> = text(
  /^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$/,
  "name the stack with at most 20 lower-case letters, digits and hyphens, a letter or digit first and last",
);
const region: Check<string> = text(
  /^[a-z0-9]+$/,
  "run `pulumi config set azure-native:location REGION`, for example westeurope",
);

function checkForm(config: SettingsSource["config"], place: Place): Draft {
  const own = Object.entries(config).filter(([key]) => key.startsWith(`${NAMESPACE}:`));
  return (
    map(fields)(Object.fromEntries(own.map(([key, value]) => [key.slice(NAMESPACE.length + 1), value])), place) ?? {}
  );
}

function checkSecrecy(secretKeys: readonly string[], config: SettingsSource["config"], place: Place): void {
  if (typeof config[GIT_TOKEN] === "string" && !secretKeys.includes(GIT_TOKEN))
    place
      .at("gitToken")
      .fault("[secret]", "stands in plain text", "replace it: run `pulumi config set --secret aks-gitops:gitToken`");
  for (const key of secretKeys) {
    const name = key.slice(NAMESPACE.length + 1);
    if (key.startsWith(`${NAMESPACE}:`) && name !== "secrets" && key !== GIT_TOKEN)
      place
        .at(name)
        .fault("[secret]", "holds a secret, but goes into Azure or Git as it is", "move it to aks-gitops:secrets");
  }
}

// The engine hands values over as text, and `pulumi config set` writes a true as "true".
function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    const result: unknown = JSON.parse(value);
    return typeof result === "object" || typeof result === "boolean" ? result : value;
  } catch {
    return value;
  }
}

function withSecretData(secret: SecretSetting): SecretSetting {
  const data = Object.entries(secret.data).map(([key, value]) => [key, pulumi.secret(value as string)]);
  return Object.freeze({ ...secret, data: Object.freeze(Object.fromEntries(data)) });
}

const ownerOf = (repository: string): string => new URL(repository).pathname.split("/")[1] ?? "";

// GitHub's provider takes the owner from its own configuration. A provider resource could take it from the program, but
// keeps the token of the environment in the state in plain text (@pulumi/github 6.15, provider.js).
function checkOwner(value: unknown, repository: string | undefined, place: Place): void {
  if (repository === undefined) return;
  const owner = ownerOf(repository);
  if (typeof value === "string" && value.toLowerCase() === owner.toLowerCase()) return;
  const problem = value === undefined ? "is missing" : "is not the owner of aks-gitops:flux.repository";
  place.fault(value, problem, `run \`pulumi config set github:owner ${owner}\``);
}

function complete(form: Form, place: { project: string; stack: string; location: string }): Settings {
  const { cluster, registry, flux, sops, images, demo } = form;
  const [owner = "", name = ""] = new URL(flux.repository).pathname
    .slice(1)
    .replace(/(\.git)?\/?$/, "")
    .split("/");
  const prodLike = cluster.sku !== "Free";
  return {
    ...form,
    ...place,
    cluster: { ...cluster, defender: cluster.defender ?? prodLike },
    registry: { ...registry, zoneRedundant: registry.sku === "Premium" && hasZones(place.location) },
    flux: {
      ...flux,
      auth: flux.auth ?? (flux.mode === "extension" ? "deployKey" : "token"),
      repository: flux.repository.replace(/\/$/, ""),
      owner,
      name,
      path: `clusters/${place.stack}`,
    },
    sops: { ...sops, purgeProtection: sops.purgeProtection ?? prodLike },
    images: [...new Set(demo ? [...images, demo.image] : images)],
  };
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const item of Object.values(Object.freeze(value))) freeze(item);
  return value;
}

function describe(stack: string, faults: readonly Fault[]): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = faults.flatMap(({ key, value, problem, remedy }) => [
    "",
    `  ${key} ${problem}`,
    ...(value === undefined ? [] : [`    value   ${typeof value === "string" ? value : JSON.stringify(value)}`]),
    `    remedy  ${remedy}`,
  ]);
  return [`${count} in the configuration of stack ${stack} (Pulumi.${stack}.yaml):`, ...lines].join("\n");
}
