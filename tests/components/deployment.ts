// Runs components against Pulumi's mocks and keeps what they register, the options too, which mocks alone do not show.
import * as pulumi from "@pulumi/pulumi";

/** A resource as the engine is told of it. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  /** Its inputs, secrets opened. */
  readonly inputs: Record<string, unknown>;
  /** Inputs that are secret or hold a secret. */
  readonly secrets: readonly string[];
  /** `<type>::<name>` of its parent. */
  readonly parent: string;
  /** `<type>::<name>` of what it depends on, sorted. */
  readonly dependencies: readonly string[];
  readonly protect: boolean;
  readonly ignoreChanges: readonly string[];
  readonly deletedWith: string;
  readonly retainOnDelete: boolean;
  /** Undefined where the provider decides. */
  readonly deleteBeforeReplace: boolean | undefined;
  readonly replaceOnChanges: readonly string[];
  /** Another value of it makes another resource. */
  readonly replacementTrigger: unknown;
  /** The name of its provider, if it has one of its own. */
  readonly provider: string;
  /** What the engine would transform it with, in its order: its own transforms, then those of its parent and so on. */
  readonly transforms: readonly pulumi.ResourceTransform[];
}

/** A resource that is read and not made. */
export type Read = Pick<Registration, "type" | "name" | "parent" | "dependencies"> & { readonly id: string };

export interface Deployment<T> {
  readonly result: T;
  readonly resources: readonly Registration[];
  readonly reads: readonly Read[];
  /** What `getExisting` was asked. */
  readonly looks: readonly Record<string, unknown>[];
  /** The one resource of a type and name, the type without its package and module. */
  find(type: string, name: string): Registration;
  /** The names of all resources of such a type, in alphabetical order. */
  names(type: string): string[];
}

const SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-00000000000a";
const SECRET = "4dabf18193072939515e22adb298388d";

/** The id that the mocks give. */
export const idOf = (type: string, name: string): string => `${SUBSCRIPTION}/${type}/${name}`;
/** A role definition as it is assigned in the mocks' subscription. */
export const roleId = (guid: string): string =>
  `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
/** The inputs of a role assignment but for its name, which is made of them (tests/components/shared/names.test.ts). */
export function assigned({ roleAssignmentName: _, ...inputs }: Record<string, unknown>): Record<string, unknown> {
  return inputs;
}
/** What an output comes to. */
export const resolved = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => output.apply(resolve));

// What Azure and others answer, by type; the inputs are there too.
const answers: Record<string, (name: string, inputs: Record<string, string>) => Record<string, unknown>> = {
  UserAssignedIdentity: (name) => ({
    clientId: `${name}-client`,
    principalId: `${name}-principal`,
    tenantId: "tenant",
  }),
  ManagedCluster: () => ({
    oidcIssuerUrl: "https://issuer/",
    kubeconfig: "kubeconfig",
    endpoint: "https://api:443",
    certificateAuthority: "Q0E=",
  }),
  PublicIPAddress: () => ({ ipAddress: "203.0.113.7" }),
  NatGateway: () => ({ ipAddress: "203.0.113.7" }),
  Registry: (_, { registryName }) => ({ name: registryName, loginServer: `${registryName}.azurecr.io` }),
  Vault: (_, { vaultName }) => ({
    name: vaultName,
    properties: { vaultUri: `https://${vaultName}.vault.azure.net/`, tenantId: "tenant" },
  }),
  VaultKey: (_, { vaultId = "", name }) => ({
    keyUriWithVersion: `https://${vaultId.split("/").at(-1)}-abcd1234.vault.azure.net/keys/${name}/v1`,
  }),
  AzureMonitorWorkspace: (name) => ({
    defaultIngestionSettings: { dataCollectionRuleResourceId: idOf("DataCollectionRule", name) },
  }),
  RandomId: () => ({ hex: "abcd1234" }),
  RandomString: () => ({ result: "abcd1234" }),
  RandomPassword: () => ({ result: { [SECRET]: "1b47061264138c4ac30d75fd1eb44270", value: "r4ndom" } }),
  PrivateKey: () => ({ privateKeyPem: "PRIVATE", publicKeyOpenssh: "ecdsa-sha2-nistp384 AAAA\n" }),
  Application: () => ({ clientId: "application" }),
  ServicePrincipal: () => ({ objectId: "service-principal", applicationTenantId: "tenant" }),
  ApplicationPassword: () => ({ value: "application-password" }),
  AcceptedPassword: () => ({ password: "application-password" }),
  ImageImport: (_, { loginServer, repository, digest }) => ({ reference: `${loginServer}/${repository}@${digest}` }),
  ChartMirror: (_, { loginServer, repository, version }) => ({
    reference: `oci://${loginServer}/${repository}:${version}`,
  }),
  EncryptedSecret: (name) => ({ content: `encrypted ${name}\n` }),
  GitCommit: () => ({ commit: "0123abc" }),
  FluxConfiguration: () => ({ complianceState: "Compliant" }),
  AgentPool: () => ({ agentPoolId: "pool-1", tokenValue: "pul-token" }),
};

const calls: Record<string, (inputs: Record<string, string>) => Record<string, unknown>> = {
  // What is called nothing is not there, and what is called shut lets nobody in.
  "gitops:index:getExisting": ({ id = "" }) => ({
    id,
    faults: id.endsWith("/nothing") ? ["is not there"] : [],
    warnings: id.endsWith("/shut") ? ["it is shut"] : [],
  }),
  "gitops:index:getForeignImages": () => ({ images: [], more: 0, unread: [] }),
  "azure-native:authorization:getClientConfig": () => ({
    subscriptionId: SUBSCRIPTION.split("/")[2] ?? "",
    tenantId: "tenant",
  }),
  // A network with a subnet of each kind, and a NAT gateway.
  "azure-native:network:getVirtualNetwork": ({ virtualNetworkName = "", resourceGroupName = "" }) => {
    const id = `${SUBSCRIPTION}/resourceGroups/${resourceGroupName}/providers/Microsoft.Network/virtualNetworks/${virtualNetworkName}`;
    const delegations = [{ serviceName: "Microsoft.ContainerService/managedClusters" }];
    return {
      id,
      addressSpace: { addressPrefixes: ["10.90.0.0/16"] },
      subnets: [
        { id: `${id}/subnets/nodes`, addressPrefix: "10.90.0.0/20", natGateway: { id: "gateway" } },
        { id: `${id}/subnets/api-server`, addressPrefix: "10.90.16.0/28", delegations },
        { id: `${id}/subnets/endpoints`, addressPrefix: "10.90.17.0/24" },
      ],
    };
  },
  // Nothing but `fleet` is there; of `nothing` there comes nothing at all, of others an empty id.
  "github:index/getRepository:getRepository": ({ fullName = "" }) => {
    if (fullName.endsWith("/nothing")) return {};
    return fullName.endsWith("/fleet") ? { id: "fleet", name: "fleet" } : { id: "", fullName };
  },
};

/** What makes resources. */
export interface Maker {
  readonly tenantId: string;
  /** Makes one from its inputs, secrets opened; the mocks' id and outputs where it makes none. */
  make(
    type: string,
    name: string,
    inputs: Record<string, unknown>,
  ): Promise<{ readonly id: string; readonly state: Record<string, unknown> } | undefined>;
  /** Answers a function of a provider; the mocks do where it gives nothing. */
  call?(token: string, inputs: Record<string, unknown>): Promise<Record<string, unknown> | undefined>;
}

/**
 * Runs a program; all it registers is there when this returns.
 * @param maker what makes the resources; its outputs come over the mocks'.
 */
export async function deploy<T>(program: () => T | Promise<T>, preview = false, maker?: Maker): Promise<Deployment<T>> {
  const resources: Registration[] = [];
  const reads: Read[] = [];
  const looks: Record<string, unknown>[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: async (args) => {
        const mocked = answer(args);
        if (args.id) return mocked;
        const made = await maker?.make(args.type, args.name, open(args.inputs) as Record<string, unknown>);
        return made ? { id: made.id, state: { ...mocked.state, ...made.state } } : mocked;
      },
      call: async ({ token, inputs }) => {
        if (token === "gitops:index:getExisting") looks.push(inputs);
        return {
          ...calls[token]?.(inputs),
          ...(await maker?.call?.(token, inputs)),
          ...(maker && { tenantId: maker.tenantId }),
        };
      },
    },
    "project",
    "test",
    preview,
  );
  listen(
    (registration) => resources.push(registration),
    (read) => reads.push(read),
  );
  const result = await program();
  await pulumi.runtime.disconnect();
  const short = ({ type }: Registration) => type.split(":").at(-1);
  return {
    result,
    resources,
    reads,
    looks,
    find(type, name) {
      const found = resources.filter((one) => short(one) === type && one.name === name);
      const [only] = found;
      if (!only || found.length > 1) throw new Error(`${found.length} resources ${type} ${name}`);
      return only;
    },
    names: (type) =>
      resources
        .filter((one) => short(one) === type)
        .map(({ name }) => name)
        .sort(),
  };
}

function answer({ type, name, inputs, id }: pulumi.runtime.MockResourceArgs): pulumi.runtime.MockResourceResult {
  const short = type.split(":").at(-1) ?? type;
  const plain = { ...(open(inputs) as Record<string, string>), ...(id && namedBy(id)) };
  return { id: id || idOf(short, name), state: { name, ...plain, ...answers[short]?.(name, plain) } };
}

/** The names that an id holds, as the inputs of what is made have them. */
function namedBy(id: string): Record<string, string> {
  const name = id.split("/").at(-1) ?? "";
  return { name, registryName: name, vaultName: name, vaultId: id.replace(/\/keys\/.*$/, "") };
}

type ReadRequest = {
  [K in "getType" | "getName" | "getParent" | "getId"]: () => string;
} & { getDependenciesList(): string[] };

type Request = {
  [K in "getType" | "getName" | "getParent" | "getDeletedwith" | "getProvider"]: () => string;
} & { getTransformsList(): { getToken(): string }[] } & {
  [K in "getDependenciesList" | "getIgnorechangesList" | "getReplaceonchangesList"]: () => string[];
} & {
  [K in "getProtect" | "getRetainondelete" | "getDeletebeforereplace" | "getDeletebeforereplacedefined"]: () => boolean;
} & {
  getObject(): { toJavaScript(): Record<string, unknown> };
  getReplacementTrigger(): { toJavaScript(): unknown } | undefined;
};

function listen(heard: (registration: Registration) => void, read: (read: Read) => void): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: Request, ...rest: unknown[]): unknown;
    readResource(request: ReadRequest, ...rest: unknown[]): unknown;
    newUrn(parent: string, type: string, name: string): string;
    readonly transformCallbacks: ReadonlyMap<string, pulumi.ResourceTransform>;
  };
  const register = monitor.registerResource.bind(monitor);
  const readThat = monitor.readResource.bind(monitor);
  monitor.readResource = (request, ...rest) => {
    read({
      type: request.getType(),
      name: request.getName(),
      id: request.getId(),
      parent: short(request.getParent()),
      dependencies: request.getDependenciesList().map(short).sort(),
    });
    return readThat(request, ...rest);
  };
  const inherited = new Map<string, readonly pulumi.ResourceTransform[]>();
  monitor.registerResource = (request, ...rest) => {
    const own = request.getTransformsList().map((callback) => monitor.transformCallbacks.get(callback.getToken()));
    const transforms = [...own.filter((it) => it !== undefined), ...(inherited.get(request.getParent()) ?? [])];
    inherited.set(monitor.newUrn(request.getParent(), request.getType(), request.getName()), transforms);
    const object = request.getObject().toJavaScript();
    heard({
      type: request.getType(),
      name: request.getName(),
      inputs: open(object) as Record<string, unknown>,
      secrets: Object.keys(object).filter((key) => JSON.stringify(object[key]).includes(SECRET)),
      parent: short(request.getParent()),
      dependencies: request.getDependenciesList().map(short).sort(),
      protect: request.getProtect(),
      ignoreChanges: request.getIgnorechangesList(),
      deletedWith: short(request.getDeletedwith()),
      retainOnDelete: request.getRetainondelete(),
      deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
      replaceOnChanges: request.getReplaceonchangesList(),
      replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
      // The last part is the provider's id.
      provider: short(request.getProvider().replace(/::[^:]*$/, "")),
      transforms,
    });
    return register(request, ...rest);
  };
}

/** `<type>::<name>` of a URN, the type without its package and module. */
function short(urn: string): string {
  const [type = "", name = ""] = urn.split("::").slice(-2);
  return urn === "" ? "" : `${type.split(":").at(-1)}::${name}`;
}

function open(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(open);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET in value) return open((value as unknown as { value: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, open(item)]));
}
