// Rules of what Kubernetes asks of a Secret of a type: it refuses another one, and with it all that is applied beside it.
// https://kubernetes.io/docs/concepts/configuration/secret/#secret-types
import { isMap } from "../../net/values.ts";
import { own } from "../check.ts";
import { each, type Facts, type Rule } from "./rule.ts";

const LINK = "https://kubernetes.io/docs/concepts/configuration/secret/#secret-types";

/** The keys that a type has to have. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

/** Keys of a type of which it has to have one. */
const EITHER: Readonly<Record<string, readonly string[]>> = { "kubernetes.io/basic-auth": ["username", "password"] };

/** The keys that hold registries' credentials as JSON, by type. */
const JSON_KEYS: Readonly<Record<string, string>> = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
};

const TOKEN = "kubernetes.io/service-account-token";

const secretsOf = ({ draft }: Facts) =>
  (draft.secrets ?? []).flatMap((secret, index) =>
    secret?.type === undefined ? [] : [{ ...secret, type: secret.type, path: own("secrets", index) }],
  );

type Secret = ReturnType<typeof secretsOf>[number];

const has = ({ data = {}, generate = [] }: Secret, key: string) => Object.hasOwn(data, key) || generate.includes(key);

/** What is wrong with credentials of registries; never what they are. */
function jsonProblem(text: string, key: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "is no JSON";
  }
  if (!isMap(value)) return "is no map in JSON";
  return key === ".dockerconfigjson" && !isMap(value.auths) ? "has no auths" : undefined;
}

export const secretTypeRules: readonly Rule[] = [
  {
    name: "typed-secrets-have-their-keys",
    subject: "secrets",
    severity: "error",
    remedy: "give the keys of the type, or leave the type out",
    link: LINK,
    check: each(secretsOf, (secret) => {
      const { type, path } = secret;
      // What is faulty already may have them.
      if (secret.data === undefined || secret.generate === undefined) return undefined;
      const either = EITHER[type];
      if (either !== undefined && !either.some((key) => has(secret, key)))
        return {
          path: [...path, "data"],
          problem: `has neither ${either.join(" nor ")}, and Kubernetes asks one of them of type ${type}`,
          remedy: `give one of them under data or generate, or leave the type out`,
        };
      return (KEYS[type] ?? [])
        .filter((key) => !has(secret, key))
        .map((key) => ({
          path: [...path, "data"],
          problem: `has no ${key}, which Kubernetes asks of type ${type}`,
          remedy: `give ${key} under data, or leave the type out`,
        }));
    }),
  },
  {
    name: "typed-secrets-are-not-random",
    subject: "secrets",
    severity: "error",
    remedy: "give it under data",
    link: LINK,
    check: each(secretsOf, ({ type, generate = [], path }) =>
      generate.flatMap((key, index) =>
        key !== undefined && (KEYS[type] ?? []).includes(key)
          ? [{ path: [...path, "generate", index], value: key, problem: `of type ${type} cannot be a random text` }]
          : [],
      ),
    ),
  },
  {
    name: "registry-credentials-are-json",
    subject: "secrets",
    severity: "error",
    remedy: 'give {"auths": {"<registry>": {"username": "...", "password": "..."}}}',
    link: "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
    check: each(secretsOf, ({ type, data = {}, path }) => {
      const key = JSON_KEYS[type];
      const text = key === undefined ? undefined : data[key];
      // A stack file's values may be sealed.
      if (key === undefined || typeof text !== "string") return undefined;
      const problem = jsonProblem(text, key);
      if (problem === undefined) return undefined;
      const remedy = 'give {"<registry>": {"username": "...", "password": "..."}}';
      return {
        path: [...path, "data", key],
        value: "[secret]",
        problem,
        ...(key === ".dockercfg" ? { remedy } : {}),
      };
    }),
  },
  {
    name: "tokens-of-service-accounts-are-kubernetes-own",
    subject: "secrets",
    severity: "error",
    remedy: "leave it out: `kubectl create token` and projected volumes give a service account its tokens",
    link: "https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets",
    check: each(secretsOf, ({ type, path }) =>
      type === TOKEN
        ? {
            path: [...path, "type"],
            value: type,
            problem: "is made by Kubernetes, which refuses one without its account",
          }
        : undefined,
    ),
  },
];
