// The form of every setting; what several settings have to do with each other is in rules.ts.
import type * as z from "zod/mini";
import { takenStack } from "../../components/repository/taken.ts";
import { defaulted, flag, map, oneOf, optional, refined, setting, text } from "../form.ts";
import { cluster } from "./cluster.ts";
import { charts, demo, images, secrets, secretText } from "./content.ts";
import { flux } from "./flux.ts";
import { objectId } from "./parts.ts";
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
    defaulted(oneOf("inside", "outside"), "outside"),
    "Whether whoever runs `pulumi up` stands in the virtual network (or one peered with it).",
  ),
  protect: setting(defaulted(flag, false), "Whether Pulumi refuses to delete cluster, vault and key."),
  tags,
  cluster,
  registry,
  flux,
  gitToken: setting(
    optional(secretText),
    "A token that reads flux.repository, as a secret: `pulumi config set --secret aks-gitops:gitToken`. The extension's " +
      "Flux with auth token signs in with it.",
  ),
  sops,
  charts,
  images,
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
