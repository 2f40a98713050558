// The kubeconfig that AKS hands out to users of Entra: endpoint and authority, and kubelogin for the token.
import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { certificate } from "../../door/certificate.ts";
import type { ArmResource } from "../../types.ts";
import type { World } from "../behaviour.ts";

/** Application ids of Azure Kubernetes Service's Entra server and of kubelogin. */
const SERVER_ID = "6dae42f8-4368-4678-94ff-3960e28e3630";
const CLIENT_ID = "80faf920-1908-4b52-b5ef-a8e7bedfc67a";

const authorities = new WeakMap<World, Map<string, Promise<string>>>();

/** A cluster's own certificate authority, made when it is first asked for. */
function authorityOf(world: World, cluster: ArmResource): Promise<string> {
  const known = authorities.get(world) ?? new Map<string, Promise<string>>();
  authorities.set(world, known);
  const uid = String(cluster.properties.resourceUID);
  const made = known.get(uid) ?? makeAuthority();
  known.set(uid, made);
  return made;
}

async function makeAuthority(): Promise<string> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  return certificate({
    subject: "ca",
    publicKey,
    issuer: "ca",
    issuerPublicKey: publicKey,
    issuerPrivateKey: privateKey,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 30 * 365 * 24 * 60 * 60 * 1000),
  });
}

/** The kubeconfig's text; without credentials. */
export async function kubeconfig(cluster: ArmResource, world: World): Promise<string> {
  const { fqdn, privateFQDN } = cluster.properties;
  const endpoint = (await world.settings.clusterEndpoint?.(cluster)) ?? {
    server: `https://${privateFQDN ?? fqdn}:443`,
    certificateAuthority: await authorityOf(world, cluster),
  };
  const user = `clusterUser_${cluster.id.split("/")[4]}_${cluster.name}`;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: cluster.name,
        cluster: {
          "certificate-authority-data": Buffer.from(endpoint.certificateAuthority).toString("base64"),
          server: endpoint.server,
        },
      },
    ],
    contexts: [{ name: cluster.name, context: { cluster: cluster.name, user } }],
    "current-context": cluster.name,
    preferences: {},
    users: [
      {
        name: user,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "kubelogin",
            args: [
              "get-token",
              "--environment",
              "AzurePublicCloud",
              "--server-id",
              SERVER_ID,
              "--client-id",
              CLIENT_ID,
              "--tenant-id",
              world.tenantId,
              "--login",
              "devicecode",
            ],
            env: null,
            installHint:
              "\nkubelogin is not installed which is required to connect to AAD enabled cluster.\n\nTo learn more, please go to https://aka.ms/aks/kubelogin\n",
            provideClusterInfo: false,
          },
        },
      },
    ],
  });
}
