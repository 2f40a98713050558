import { describe } from "../../../net/describe.ts";
import { signInOf } from "../../../net/signIn.ts";
import { check, stops } from "../check.ts";

const REMEDIES: Readonly<Record<ReturnType<typeof signInOf>["way"], string>> = {
  az: "run `az login`, or see docs/sign-in.md for the others",
  secret: "make a new secret, or correct ARM_CLIENT_ID and ARM_TENANT_ID (docs/sign-in.md)",
  certificate: "renew the certificate, or correct ARM_CLIENT_ID and ARM_TENANT_ID (docs/sign-in.md)",
  federated: "give the identity a federated credential for this very subject and issuer (docs/delivery/identity.md)",
  managedIdentity: "give the machine an identity, or name one with ARM_CLIENT_ID (docs/sign-in.md)",
  default: "see docs/sign-in.md for a way that is named",
};

export const signIn = check({
  name: "sign-in",
  about: "whether Entra gives a token for Azure, by the one decision of docs/sign-in.md",
  find: async ({ place: { environment }, attempts }) => {
    const azure = await attempts.azure();
    if ("value" in azure) return [];
    const { way } = signInOf(environment);
    // Entra's words have ids for its support on further lines.
    const [words = ""] = describe(azure.error).split(/\r?\n/);
    return [stops({ key: "Azure", value: way, problem: `cannot be signed in to: ${words}`, remedy: REMEDIES[way] })];
  },
});
