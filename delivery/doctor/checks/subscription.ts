import { isForbidden, isMissing } from "../azure.ts";
import { check, stops, warns } from "../check.ts";

export const subscription = check({
  name: "subscription",
  about: "whether the subscription is there, enabled, and of the tenant that is signed in to",
  needs: ["azure"],
  find: async ({ azure }) => {
    const { subscriptionId: value, caller } = azure;
    const key = "ARM_SUBSCRIPTION_ID";
    try {
      const { state, tenantId } = await azure.read(azure.root, "2022-12-01");
      if (state === "Disabled" || state === "Deleted")
        return [
          stops({
            key,
            value,
            problem: `is ${state}: nothing can be made in it`,
            remedy: "enable it, or name another",
          }),
        ];
      if (state === "Warned" || state === "PastDue")
        return [warns({ key, value, problem: `is ${state}: Azure will disable it`, remedy: "see to its bill" })];
      if (typeof tenantId === "string" && tenantId !== caller.tenantId) {
        const problem = `is of tenant ${tenantId}, but the sign-in is of ${caller.tenantId}`;
        return [stops({ key, value, problem, remedy: `sign in to it: ARM_TENANT_ID=${tenantId}` })];
      }
      return [];
    } catch (error) {
      if (!isMissing(error) && !isForbidden(error)) throw error;
      const problem = `is not there for ${caller.objectId}, who is signed in`;
      const remedy = "correct the id, or give the caller a role in it: docs/delivery/identity.md";
      return [stops({ key, value, problem, remedy })];
    }
  },
});
