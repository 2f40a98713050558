// The form of where images and charts may be imported from: sign-in, signatures, another stack's registry.
import { parsePublicKey } from "../../net/registry/signature.ts";
import { defaulted, list, map, optional, record, refined, setting, text } from "../form.ts";
import { secretText } from "./content.ts";
import { armId } from "./parts.ts";

const HOST = /^(?=[^/]*[.:])[a-z0-9.-]+(:\d+)?$/;
const PLACE = /^(?=[^/]*[.:])[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
const HOST_REMEDY = "write a registry's host as in images' names, for example docker.io";
const PUBLIC_KEY =
  "write the public key as PEM, as `cosign generate-key-pair` writes it into cosign.pub: -----BEGIN PUBLIC KEY-----";

const registryId = () =>
  armId(
    "Microsoft.ContainerRegistry/registries",
    "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ContainerRegistry/registries/<name>",
  );

const imageSource = map({
  from: setting(
    text(PLACE, "write a registry's host, or a path in it, for example ghcr.io/stefanprodan"),
    "What it is about: a registry's host, or a path in it with all that is below. Of several the longest counts.",
    "ghcr.io/stefanprodan",
    "acmeshared.azurecr.io",
  ),
  resourceId: setting(
    optional(registryId()),
    "ARM id of the Azure registry that it is: whoever deploys imports from there with their own right to pull. Default: it " +
      "is asked by its name.",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.ContainerRegistry/registries/acmeshared",
  ),
  publicKey: setting(
    optional(
      refined(text(undefined, PUBLIC_KEY), (value) =>
        parsePublicKey(value) === undefined ? { problem: "is no public key in PEM", remedy: PUBLIC_KEY } : undefined,
      ),
    ),
    "A public key as PEM: what cosign has not signed with its private half is not imported. Default: signatures come along " +
      "and are not looked at.",
  ),
});

/** Where images and charts come from. */
export const imageSources = setting(
  defaulted(list(imageSource), []),
  "What is to be known of registries that images and charts are imported from.",
);

/** What signs in at registries. */
export const imageSourceCredentials = setting(
  optional(
    record(
      HOST,
      HOST_REMEDY,
      map({
        username: setting(text(/\S/, "write the user's name"), "The user, or what a token wants here.", "acme"),
        password: setting(
          secretText,
          "The password or token, as a secret: `pulumi config set --secret --path " +
            "'aks-gitops:imageSourceCredentials[\"docker.io\"].password'`.",
        ),
      }),
    ),
  ),
  "What signs in at registries that want to know who asks, or let their users ask more often, by host. Default: nobody signs in.",
);

/** Another stack's registry. */
export const promoteFrom = setting(
  optional(registryId()),
  "ARM id of another stack's registry, dev's for example: images, and charts that are mirrored, come from there by their " +
    "digests, so that nothing runs here that did not arrive there. The deployers need AcrPull on it. Default: they come from " +
    "where they are published.",
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-dev/providers/Microsoft.ContainerRegistry/registries/acmedev",
);
