// What Kubernetes asks of a Secret of a type: it refuses another one, and with it all that is applied beside it. Plain data
// in, plain data out. https://kubernetes.io/docs/concepts/configuration/secret/#secret-types
import { isMap } from "../../net/values.ts";

/** A Kubernetes Secret's name: a DNS subdomain (RFC 1123). */
export const SECRET_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
export const SECRET_NAME_WORDS =
  "at most 253 lower-case letters, digits, hyphens and dots, a letter or digit first and last in each part";

/** A key of a Secret. */
export const SECRET_KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;
export const SECRET_KEY_WORDS =
  "letters, digits, '-', '_' or '.', not two dots first, as Kubernetes wants a secret's keys";

/** The keys that a type has to have. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

/** Those of them that may not be empty. */
const NOT_EMPTY: readonly string[] = ["ssh-privatekey"];

/** Keys of a type of which it has to have one. */
const EITHER: Readonly<Record<string, readonly string[]>> = { "kubernetes.io/basic-auth": ["username", "password"] };

/** The keys that hold registries' credentials as JSON, by type, and what these look like. */
const JSON_KEYS: Readonly<Record<string, { readonly key: string; readonly example: string }>> = {
  "kubernetes.io/dockerconfigjson": {
    key: ".dockerconfigjson",
    example: '{"auths": {"<registry>": {"username": "...", "password": "..."}}}',
  },
  "kubernetes.io/dockercfg": { key: ".dockercfg", example: '{"<registry>": {"username": "...", "password": "..."}}' },
};

const TOKEN = "kubernetes.io/service-account-token";

/** A Secret as far as its type asks; values that are not plain texts are not looked at. */
export interface TypedSecret {
  readonly type: string;
  readonly generate: readonly (string | undefined)[];
  readonly data: Readonly<Record<string, unknown>>;
}

/** Why a Secret cannot be of its type. No value is told. */
export interface TypeDisorder {
  readonly kind: "keys" | "random" | "json" | "token";
  /** Where, below the Secret. */
  readonly at: readonly ["data" | "type"] | readonly ["generate", number] | readonly ["data", string];
  /** As a phrase that follows the property. */
  readonly problem: string;
  /** As a sentence that begins with `give` or `leave`. */
  readonly remedy: string;
}

/** Everything about a Secret that its type does not take. */
export function typeDisorders({ type, generate, data }: TypedSecret): TypeDisorder[] {
  const has = (key: string) => Object.hasOwn(data, key) || generate.includes(key);
  const either = EITHER[type] ?? [];
  const keys = KEYS[type] ?? [];
  const json = JSON_KEYS[type];
  const text = json && data[json.key];
  const problem = json && typeof text === "string" ? jsonProblem(text, json.key) : undefined;
  return [
    ...(either.length > 0 && !either.some(has)
      ? [
          {
            kind: "keys" as const,
            at: ["data"] as const,
            problem: `has neither ${either.join(" nor ")}, and Kubernetes asks one of them of type ${type}`,
            remedy: "give one of them under data or generate, or leave the type out",
          },
        ]
      : []),
    ...keys
      .filter((key) => !has(key))
      .map((key) => ({
        kind: "keys" as const,
        at: ["data"] as const,
        problem: `has no ${key}, which Kubernetes asks of type ${type}`,
        remedy: `give ${key} under data, or leave the type out`,
      })),
    ...NOT_EMPTY.filter((key) => keys.includes(key) && data[key] === "").map((key) => ({
      kind: "keys" as const,
      at: ["data", key] as const,
      problem: `is empty, and Kubernetes asks a text of type ${type}`,
      remedy: "give the key itself, or leave the type out",
    })),
    ...generate.flatMap((key, index) =>
      key !== undefined && keys.includes(key)
        ? [
            {
              kind: "random" as const,
              at: ["generate", index] as const,
              problem: `of type ${type} cannot be a random text`,
              remedy: "give it under data",
            },
          ]
        : [],
    ),
    ...(json && problem !== undefined
      ? [{ kind: "json" as const, at: ["data", json.key] as const, problem, remedy: `give ${json.example}` }]
      : []),
    ...(type === TOKEN
      ? [
          {
            kind: "token" as const,
            at: ["type"] as const,
            problem: "is made by Kubernetes, which refuses one without its account",
            remedy: "leave it out: `kubectl create token` and projected volumes give a service account its tokens",
          },
        ]
      : []),
  ];
}

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
