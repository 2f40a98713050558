// The form of every setting; what several settings have to do with each other is in rules.ts.
import { createPublicKey } from "node:crypto";
import { parseNetwork } from "../net/cidr.ts";
import {
  type Check,
  type Checked,
  defaulted,
  flag,
  freeMap,
  integer,
  isMap,
  list,
  map,
  oneOf,
  optional,
  Place,
  record,
  refined,
  text,
} from "./check.ts";
import { flux } from "./fluxSchema.ts";

/** A secret's ciphertext as it stands in a stack file; only tools that read the file themselves meet it. */
export interface Sealed {
  readonly secure: string;
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const objectId = (what: string): Check<string> =>
  text(GUID, `write the object id of ${what}, a GUID; \`az ad group show --group NAME --query id\` tells it`);

const cidr: Check<string> = refined(
  text(undefined, "write an IPv4 network in CIDR notation, for example 10.60.0.0/16"),
  (value) =>
    parseNetwork(value)
      ? undefined
      : {
          problem: "is not an IPv4 network in CIDR notation",
          remedy: "write its first address and a prefix length up to 32, for example 10.60.0.0/16",
        },
);

// Kubernetes' names of objects that become a DNS label (RFC 1123).
const label = text(
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  "write at most 63 lower-case letters, digits and hyphens, a letter or digit first and last",
);
// Helm's limit of a release's name is 53 characters.
const releaseName = text(
  /^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/,
  "write at most 53 lower-case letters, digits and hyphens, a letter or digit first and last",
);
const vmSize = text(/^Standard_[A-Za-z0-9_-]+$/, "write a size as Azure spells it, for example Standard_D4ds_v5");
const zones = defaulted(list(oneOf("1", "2", "3")), []);

const pool = {
  vmSize: defaulted(vmSize, "Standard_D4ds_v5"),
  /** Availability zones; default none. */
  zones,
  /** Fewest nodes; default 1. */
  minCount: defaulted(integer(1, 1000), 1),
  /** Most nodes; default 5. */
  maxCount: defaulted(integer(1, 1000), 5),
};

const window = (dayOfWeek: string) =>
  defaulted(
    map({
      dayOfWeek: defaulted(
        oneOf("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        dayOfWeek,
      ),
      /** Default 01:00. */
      startTime: defaulted(
        text(/^([01]\d|2[0-3]):[0-5]\d$/, 'write hours and minutes in quotes, for example "01:00"'),
        "01:00",
      ),
      /** Hours; Azure needs at least 4. Default 6. */
      durationHours: defaulted(integer(4, 24), 6),
    }),
    {},
  );

const cluster = map({
  /** Default Standard; Free has no SLA, Premium is for long-term support. */
  sku: defaulted(oneOf("Free", "Standard", "Premium"), "Standard"),
  /** Whether the API server has a private address only; default false. */
  private: defaulted(flag, false),
  /** Networks that reach a public API server; default all. */
  authorizedIpRanges: defaulted(list(cidr), []),
  /** Entra groups that administrate the cluster; default none. */
  adminGroups: defaulted(list(objectId("an Entra group")), []),
  network: defaulted(
    map({
      /** The virtual network. */
      vnet: defaulted(cidr, "10.60.0.0/16"),
      /** Subnet of the nodes. */
      nodes: defaulted(cidr, "10.60.0.0/20"),
      /** Subnet of a private API server. */
      apiServer: defaulted(cidr, "10.60.16.0/28"),
      /** Subnet of private endpoints. */
      endpoints: defaulted(cidr, "10.60.17.0/24"),
      /** The overlay's addresses of pods; not routed outside the cluster. */
      pods: defaulted(cidr, "10.244.0.0/16"),
      /** Addresses of Kubernetes services. */
      services: defaulted(cidr, "10.0.0.0/16"),
    }),
    {},
  ),
  systemPool: defaulted(map(pool), {}),
  /** Pools of the applications; without one they run on the system pool. */
  userPools: defaulted(
    list(
      map({
        name: text(
          /^[a-z][a-z0-9]{0,11}$/,
          "write 1 to 12 lower-case letters or digits, a letter first (AKS allows no more in a Linux pool's name)",
        ),
        ...pool,
      }),
    ),
    [],
  ),
  /** When AKS upgrades the control plane and the nodes; weekly. */
  maintenance: defaulted(
    map({
      /** Default +00:00. */
      utcOffset: defaulted(
        text(/^[+-](0\d|1[0-4]):[0-5]\d$/, 'write the offset in quotes, for example "+01:00"'),
        "+00:00",
      ),
      autoUpgrade: window("Sunday"),
      nodeOSUpgrade: window("Saturday"),
    }),
    {},
  ),
  /** Default stable. */
  upgradeChannel: defaulted(oneOf("patch", "stable", "rapid", "node-image"), "stable"),
  /** Default NodeImage. */
  nodeOSUpgradeChannel: defaulted(oneOf("NodeImage", "SecurityPatch"), "NodeImage"),
  /** Microsoft Defender for Containers; default on unless the sku is Free. */
  defender: optional(flag),
});

const registry = map({
  /** Globally unique; default a random one. */
  name: optional(
    text(/^[a-zA-Z0-9]{5,50}$/, "write 5 to 50 letters and digits, nothing else; or leave it out for a random name"),
  ),
  /** Default Standard. */
  sku: defaulted(oneOf("Basic", "Standard", "Premium"), "Standard"),
  /** Whether registry and vault are reached through private endpoints only; needs Premium; default false. */
  private: defaulted(flag, false),
  /** Whether a service principal that pulls is made, for clusters and tools without a managed identity; default false. */
  pullPrincipal: defaulted(flag, false),
});

const role = text(
  /^(\/\S+\/roleDefinitions\/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  "write a role definition's GUID or its whole id; `az role definition list --name NAME --query [].id` tells it",
);

const publicKey: Check<string> = (value, place) => {
  const remedy =
    "write the public part of the vault's key as PEM, as `az keyvault key download` gives it: RSA, 2048 bits or more";
  // Whoever pastes the wrong half shall not see it in a log.
  const hidden = new Place(place.key, place.faults, true);
  if (typeof value !== "string" || !value.includes("PUBLIC KEY"))
    return hidden.fault(value, "is no public key in PEM", remedy);
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(value);
    if (asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048) return value;
    return hidden.fault(value, "is no RSA key of 2048 bits or more", remedy);
  } catch {
    return hidden.fault(value, "is no public key in PEM", remedy);
  }
};

const sops = map({
  /** The vault's name, globally unique; default a random one. */
  vault: optional(
    text(
      /^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/,
      "write 3 to 24 letters, digits and single hyphens, a letter first, no hyphen last; or leave it out for a random name",
    ),
  ),
  /** Whether a deleted vault cannot be purged before its 90 days are over; default true unless the sku is Free. */
  purgeProtection: optional(flag),
  /** Groups that decrypt and encrypt; default none. */
  editors: defaulted(list(objectId("an Entra group")), []),
  /** Groups that encrypt only; needs roles.encrypt; default none. */
  encrypters: defaulted(list(objectId("an Entra group")), []),
  roles: defaulted(
    map({
      /** A custom role that reads a key and encrypts; there is no built-in one. */
      encrypt: optional(role),
      /** A custom role that reads a key and decrypts; default Key Vault Crypto User, which does more. */
      decrypt: optional(role),
    }),
    {},
  ),
  /** The key's public part, pinned for a runner that cannot reach the vault. */
  publicKey: optional(publicKey),
});

const chart = map({
  /** The chart's name; its release has the same. */
  name: releaseName,
  repository: text(
    /^(https|oci):\/\/[^\s/]+(\/\S*)?$/,
    "write where the chart comes from, https:// or oci://, for example https://kubereboot.github.io/charts",
  ),
  version: text(
    /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/,
    "write one exact version in quotes, for example 6.1.0; ranges are not taken, so that a release is repeatable",
  ),
  /** Where its objects go. */
  namespace: label,
  /** The chart's values; default none. */
  values: defaulted(freeMap, {}),
});

/** An image with its registry's host and a tag or a digest. */
const image = text(
  /^(?=[^/]*[.:])[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:\w[\w.-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/,
  "write the whole name with registry and tag, for example ghcr.io/stefanprodan/podinfo:6.14.1",
);

const secretText: Check<string | Sealed> = (value, place) => {
  if (isMap(value) && Object.keys(value).join() === "secure" && typeof value.secure === "string")
    return { secure: value.secure };
  if (typeof value === "string") return value;
  return place.fault(value, "is not a text", "write the value in quotes");
};

const DATA_KEY = /^[-._a-zA-Z0-9]{1,253}$/;
const DATA_KEY_REMEDY = "write letters, digits, '-', '_' or '.', as Kubernetes wants a secret's keys";

const secret = map({
  name: label,
  namespace: label,
  /** Default Opaque. */
  type: defaulted(text(/^\S+$/, "write a type as Kubernetes names it, for example Opaque"), "Opaque"),
  /** Keys whose values are random, made once; default none. */
  generate: defaulted(list(text(DATA_KEY, DATA_KEY_REMEDY)), []),
  /** Keys with values that are given; default none. */
  data: defaulted(record(DATA_KEY, DATA_KEY_REMEDY, secretText), {}),
});

/** The keys of the namespace `aks-gitops`. */
export const fields = {
  /** Object id of the Entra group whose members run `pulumi up`. */
  deployers: objectId("the Entra group whose members run `pulumi up`"),
  /** Whether the runner stands in the virtual network (or one peered with it); default outside. */
  runner: defaulted(oneOf("inside", "outside"), "outside"),
  /** Whether Pulumi refuses to delete cluster, vault and key; default false. */
  protect: defaulted(flag, false),
  cluster: defaulted(cluster, {}),
  registry: defaulted(registry, {}),
  flux: defaulted(flux, {}),
  /** A token that reads flux.repository, as a secret; the extension's Flux with auth token signs in with it. */
  gitToken: optional(secretText),
  sops: defaulted(sops, {}),
  /** Helm charts that are mirrored and released; default none. */
  charts: defaulted(list(chart), []),
  /** Further images to mirror; default none. */
  images: defaulted(list(image), []),
  /** A small application to see that everything works; default none. */
  demo: optional(
    map({
      image,
      /** Default 1. */
      replicas: defaulted(integer(0, 100), 1),
    }),
  ),
  /** Kubernetes secrets that are encrypted into the repository; default none. */
  secrets: defaulted(list(secret), []),
};

/** What the form's check gives when there is no fault. */
export type Form = { [K in keyof typeof fields]: Checked<(typeof fields)[K]> };
