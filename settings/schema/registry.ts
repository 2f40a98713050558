// The form of `aks-gitops:registry`.
import { REGISTRY } from "../../components/defaults.ts";
import { defaulted, flag, oneOf, optional, section, setting, text } from "../form.ts";

/** The container registry. */
export const registry = setting(
  section({
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
      "Whether registry and vault are reached through private endpoints only; needs sku Premium.",
    ),
    pullPrincipal: setting(
      defaulted(flag, REGISTRY.pullPrincipal),
      "Whether a service principal that pulls is made, for clusters and tools without a managed identity.",
    ),
  }),
  "The container registry that everything is mirrored into.",
);
