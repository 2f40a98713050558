// Rules of what Kubernetes asks of a Secret of a type.
import { type TypeDisorder, typeDisorders } from "../../components/repository/secretTypes.ts";
import { own } from "../check.ts";
import type { Rule } from "./rule.ts";

const LINK = "https://kubernetes.io/docs/concepts/configuration/secret/#secret-types";

/** A rule of one kind of what a type does not take. */
function ofKind(kind: TypeDisorder["kind"], name: string, remedy: string, link = LINK): Rule {
  return {
    ...{ name, subject: "secrets", severity: "error", remedy, link },
    check: ({ draft }) =>
      (draft.secrets ?? []).flatMap((secret, index) => {
        const { type, generate, data } = secret ?? {};
        // What is faulty already may have what is asked.
        if (type === undefined || generate === undefined || data === undefined) return [];
        return typeDisorders({ type, generate, data })
          .filter((disorder) => disorder.kind === kind)
          .map(({ at, problem, ...found }) => ({
            path: own("secrets", index, ...at),
            // It may be a secret: that there is one is all that is told.
            ...(at.length > 1 || kind === "token" ? { value: "[secret]" } : {}),
            problem,
            remedy: found.remedy,
            item: index,
          }));
      }),
  };
}

export const secretTypeRules: readonly Rule[] = [
  ofKind("keys", "typed-secrets-have-their-keys", "give the keys of the type, or leave the type out"),
  ofKind("random", "typed-secrets-are-not-random", "give it under data"),
  ofKind(
    "json",
    "registry-credentials-are-json",
    'give {"auths": {"<registry>": {"username": "...", "password": "..."}}}',
    "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
  ),
  ofKind(
    "token",
    "tokens-of-service-accounts-are-kubernetes-own",
    "leave it out: `kubectl create token` and projected volumes give a service account its tokens",
    "https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets",
  ),
];
