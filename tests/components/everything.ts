// Every component with all that it can have, for what holds for all of them.
import type * as pulumi from "@pulumi/pulumi";
import {
  AksCluster,
  ContainerRegistry,
  DecryptPrincipal,
  FluxBootstrap,
  FluxIdentity,
  HelmMirror,
  PipelineIdentity,
  PullPrincipal,
  SopsKeyVault,
  type Tags,
} from "../../components/index.ts";
import { fluxArgs } from "./flux/fluxDeployment.ts";
import { LOCK } from "./lock.ts";

type Make = (tags: Tags, opts: pulumi.ComponentResourceOptions) => pulumi.ComponentResource;

const GROUP = "6f1f2b6e-1111-4e0a-9c60-000000000001";
const HUB = "/subscriptions/s/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub";
const SPOKE =
  "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-spoke";
const common = { resourceGroupName: "group", deployers: GROUP, network: { vnetId: "vnet", subnetId: "subnet" } };
const pullCredentials = { username: "puller", password: "hunter2" };

/** Makes a component, by its name; within a deployment. */
export const EVERYTHING: Readonly<Record<string, Make>> = {
  AksCluster: (tags, opts) =>
    new AksCluster(
      "aks",
      {
        ...{ resourceGroupName: "group", private: true, privateEndpoints: true, runnerNetworkId: HUB },
        ...{
          userPools: [{ name: "apps" }],
          tags,
          podSecurity: {},
          metrics: true,
          alerts: { emails: ["platform@acme.example"], fluxConfigurations: true },
        },
      },
      opts,
    ),
  "AksCluster with a zone-redundant way out": (tags, opts) =>
    new AksCluster("aks", { resourceGroupName: "group", zoneRedundantEgress: true, tags }, opts),
  "AksCluster on subnets that are there": (tags, opts) =>
    new AksCluster(
      "aks",
      {
        ...{ resourceGroupName: "group", private: true, privateEndpoints: true, runnerNetworkId: HUB, tags },
        network: {
          subnets: {
            nodes: `${SPOKE}/subnets/nodes`,
            apiServer: `${SPOKE}/subnets/api-server`,
            endpoints: `${SPOKE}/subnets/endpoints`,
          },
          zones: { apiServer: "own" },
        },
      },
      opts,
    ),
  ContainerRegistry: (tags, opts) =>
    new ContainerRegistry(
      "acr",
      { ...common, sku: "Premium", pullers: { kubelet: "kubelet" }, pullPrincipal: true, tags },
      opts,
    ),
  PullPrincipal: (_, opts) => new PullPrincipal("pull", { registryId: "registry" }, opts),
  SopsKeyVault: (tags, opts) => new SopsKeyVault("kv", { ...common, editors: [GROUP], tags }, opts),
  DecryptPrincipal: (_, opts) => new DecryptPrincipal("decrypt", { keyId: "key", tenantId: "tenant" }, opts),
  HelmMirror: (_, opts) =>
    new HelmMirror("mirror", { lock: LOCK, registryId: "registry", importServer: "acme.azurecr.io" }, opts),
  FluxIdentity: (tags, opts) =>
    new FluxIdentity(
      "flux",
      {
        resourceGroupName: "group",
        issuer: "https://issuer/",
        registryId: "registry",
        keyId: "key",
        imageAutomation: true,
        tags,
      },
      opts,
    ),
  "FluxBootstrap by the extension": (_, opts) =>
    new FluxBootstrap("flux", { ...fluxArgs(), pullCredentials, createRepository: true }, opts),
  "FluxBootstrap by Flux's own bootstrap": (_, opts) =>
    new FluxBootstrap("flux", { ...fluxArgs(), pullCredentials, mode: "bootstrap", auth: "deployKey" }, opts),
  "FluxBootstrap in a cluster that is not AKS": (_, opts) => {
    const { resourceGroupName: _group, clusterName: _name, identity: _identity, access, ...args } = fluxArgs();
    const { clusterId: _id, ...way } = access ?? { endpoint: "https://factory:6443", certificateAuthority: "Q0E=" };
    const decryptCredentials = { tenantId: "tenant", clientId: "decrypter", clientSecret: "s3cret" };
    const passwords = { pullCredentials, decryptCredentials, imagePullSecret: "acr-pull" };
    return new FluxBootstrap(
      "flux",
      { ...args, ...passwords, mode: "bootstrap", access: { ...way, kubeContext: "factory" } },
      opts,
    );
  },
  PipelineIdentity: (_, opts) =>
    new PipelineIdentity(
      "pipeline",
      {
        ...{ stack: "prod", scope: "/subscriptions/c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02", deployers: GROUP },
        hubNetworkId: HUB.replace("/s/", "/c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02/"),
        github: {
          ...{ owner: "acme", repository: "platform", ownerId: 7, repositoryId: 11, branches: ["main"] },
          ...{ deployTags: ["v*"], reviewerTeams: [3], variables: { PULUMI_BACKEND_URL: "azblob://state" } },
        },
        pulumiDeployments: { organization: "acme", project: "aks-gitops" },
        azureDevOps: { deploySubject: "/eid1/c/pub/t/a/sc/b/deploy", previewSubject: "/eid1/c/pub/t/a/sc/b/preview" },
      },
      opts,
    ),
};
