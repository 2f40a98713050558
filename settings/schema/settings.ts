// The form of every setting; what several settings have to do with each other is in rules.ts.
import type * as z from "zod/mini";
import { PRINCIPAL } from "../../components/defaults.ts";
import { takenStack } from "../../components/repository/taken.ts";
import { defaulted, flag, integer, list, map, oneOf, optional, refined, setting, text, wordOr } from "../form.ts";
import { cluster } from "./cluster.ts";
import { acceptForeign, charts, demo, ignoreImages, images, secrets, secretText } from "./content.ts";
import { flux } from "./flux.ts";
import { imageSourceCredentials, imageSources, promoteFrom } from "./imageSources.ts";
import { otherCluster } from "./otherCluster.ts";
import { cidr, networkId, objectId } from "./parts.ts";
import { registry } from "./registry.ts";
import { sops } from "./sops.ts";
import { tags } from "./tags.ts";

/** The keys of the namespace `aks-gitops`. */
export const form = map({
  deployers: setting(
    objectId("the Entra group whose members run `pulumi up`"),
    "Object id of the Entra group whose members run `pulumi up`.",
  ),
  runner: setting(
    defaulted(
      wordOr(
        oneOf("inside", "outside"),
        refined(
          map({
            inside: setting(
              optional(
                map({
                  vnet: setting(
                    networkId,
                    "ARM id of the virtual network in which the runner stands, in any subscription. It is peered with the " +
                      "stack's, and private names are made known there.",
                    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub",
                  ),
                }),
              ),
              "The runner stands in a network of its own.",
            ),
            outside: setting(
              optional(
                map({
                  addresses: setting(
                    list(cidr),
                    "Public addresses that the runner may have: with registry.private, registry and vault let them in as well, " +
                      "and a public API server with authorizedIpRanges does.",
                    ["203.0.113.10/32"],
                  ),
                }),
              ),
              "The runner stands outside, with known addresses.",
            ),
          }),
          ({ inside, outside }) =>
            (inside === undefined) === (outside === undefined)
              ? { problem: "does not say one place", remedy: "write either inside: {vnet} or outside: {addresses}" }
              : undefined,
        ),
      ),
      "outside",
    ),
    "Where whoever runs `pulumi up` stands: outside, at addresses that are let in; inside the virtual network (or one that " +
      "is peered with it already); or inside a network that the program peers with it.",
  ),
  resourceGroup: setting(
    optional(
      text(
        /^(\/subscriptions\/[^/]+\/[rR]esource[gG]roups\/)?[-\w.()]{0,89}[-\w()]$/,
        "write its name, or its ARM id: /subscriptions/<id>/resourceGroups/<name>",
      ),
    ),
    "Name or ARM id of a resource group that is there already, in the subscription of azure-native. It is neither changed " +
      "nor deleted; everything is made in it, in azure-native:location. Default: one is made.",
    "rg-acme-prod",
  ),
  protect: setting(
    defaulted(flag, false),
    "Whether Pulumi refuses to delete or replace cluster, user pools, registry, vault and key.",
  ),
  passwordDays: setting(
    defaulted(integer(1, 365), PRINCIPAL.passwordDays),
    "Days after which the service principals of registry.pullPrincipal and of aks-gitops:otherCluster get another password, " +
      "by the first `pulumi up` after that; each password lives twice as long.",
  ),
  tags,
  cluster,
  otherCluster,
  registry,
  flux,
  gitToken: setting(
    optional(secretText),
    "A token that reads flux.repository, as a secret: `pulumi config set --secret aks-gitops:gitToken`. The extension's " +
      "Flux with auth token signs in with it.",
  ),
  gitKey: setting(
    optional(secretText),
    "A private SSH key that reads flux.repository, in PEM and without a passphrase, as a secret: `pulumi config set --secret " +
      "aks-gitops:gitKey < FILE`. Flux with auth sshKey signs in with it; a person registers its public half at the host. " +
      "With auth githubApp the App's private key.",
  ),
  sops,
  charts,
  images,
  imageSources,
  imageSourceCredentials,
  promoteFrom,
  ignoreImages,
  acceptForeign,
  demo,
  secrets,
});

/** What the form gives when there is no fault. */
export type Form = z.output<typeof form>;

/** A stack's name: it names resources and folders. */
export const stackName = refined(
  text(
    /^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$/,
    "name the stack with at most 20 lower-case letters, digits and hyphens, a letter or digit first and last",
  ),
  takenStack,
);

/** Azure's region, `azure-native:location`. */
export const region = setting(
  text(/^[a-z0-9]+$/, "run `pulumi config set azure-native:location REGION`, for example westeurope"),
  "Azure's region, in its short name.",
  "westeurope",
);

/** The owner that GitHub's provider takes, `github:owner`. */
export const owner = setting(
  text(/^[A-Za-z0-9][A-Za-z0-9-]*$/, "write the owner of aks-gitops:flux.repository, for example acme"),
  "The owner of flux.repository on GitHub.",
  "acme",
);
