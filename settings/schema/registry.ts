// The form of `aks-gitops:registry`.
import { REGISTRY } from "../../components/defaults.ts";
import { defaulted, flag, oneOf, optional, section, setting, text } from "../form.ts";
import { armId } from "./parts.ts";

/** The container registry. */
export const registry = setting(
  section({
    existing: setting(
      optional(
        armId(
          "Microsoft.ContainerRegistry/registries",
          "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ContainerRegistry/registries/<name>",
        ),
      ),
      "ARM id of a registry that is there already, in any subscription of the tenant. It is neither changed nor deleted: " +
        "it gets images, charts, a private endpoint where private is true, and AcrPull for the nodes, Flux and the pull " +
        "principal. The deployers' group needs AcrPush and Container Registry Data Importer and Data Reader there.",
      "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shared/providers/Microsoft.ContainerRegistry/registries/acmeshared",
    ),
    name: setting(
      optional(
        text(
          /^[a-zA-Z0-9]{5,50}$/,
          "write 5 to 50 letters and digits, nothing else; or leave it out for a random name",
        ),
      ),
      "The registry's name, globally unique. Default: a random one.",
      "acmeprod",
    ),
    sku: setting(defaulted(oneOf("Basic", "Standard", "Premium"), REGISTRY.sku), "The registry's tier."),
    private: setting(
      defaulted(flag, REGISTRY.private),
      "Whether registry and vault are reached through private endpoints only; needs sku Premium. Existing ones get an " +
        "endpoint too, and who else gets in stays as it is.",
    ),
    pullPrincipal: setting(
      defaulted(flag, REGISTRY.pullPrincipal),
      "Whether a service principal that pulls is made, for clusters and tools without a managed identity.",
    ),
    auditLogs: setting(
      optional(flag),
      "Whether who signed in, pulled, pushed and deleted is kept in the cluster's Log Analytics workspace. Default: true " +
        "unless cluster.sku is Free, or registry.existing or otherCluster is there.",
    ),
  }),
  "The container registry that everything is mirrored into.",
);
