// Rules of the configuration as a whole: whose keys they are, what is secret, how much it is.
import { isMap } from "../../net/values.ts";
import { IMAGE_SOURCE_CREDENTIALS, NAMESPACE, own, SECRET_KEYS } from "../check.ts";
import { form } from "../schema/settings.ts";
import { isSealed, nearest } from "../words.ts";
import { each, type Facts, type Rule, whole } from "./rule.ts";

const SETTINGS = Object.keys(form._zod.def.shape);

/** Keys that look like the program's own, but stand in the project's namespace or in one that is spelt like the program's. */
function strayKeys({ config, project }: Facts) {
  return Object.entries(config).flatMap(([key, value]) => {
    const colon = key.indexOf(":");
    const [namespace, name] = [key.slice(0, colon), key.slice(colon + 1)];
    if (namespace === NAMESPACE || (namespace !== project && nearest(namespace, [NAMESPACE]) === undefined)) return [];
    return [{ key, value, meant: nearest(name, SETTINGS) }];
  });
}

// Linux takes no longer string, its end included, as an argument or in the environment (MAX_ARG_STRLEN, execve(2)).
const LONGEST_STRING = 128 * 1024;

const textOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

/** How many bytes the engine hands a value to the program in: as JSON in JSON, as Go writes it. */
const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, "\\u0000"));

const kibibytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KiB`;

/** A setting that has to be a secret of the configuration. */
function sealed(name: string, setting: "gitToken" | "gitKey", remedy: string): Rule {
  const path = own(setting);
  const [key] = path;
  return {
    ...{ name, subject: `secrecy of ${setting}`, severity: "error", remedy },
    link: "https://www.pulumi.com/docs/iac/concepts/secrets/",
    check: whole(({ config, secretKeys }) =>
      typeof config[key] === "string" && !secretKeys.includes(key)
        ? { path, value: "[secret]", problem: "stands in plain text" }
        : undefined,
    ),
  };
}

export const configurationRules: readonly Rule[] = [
  sealed("git-token-is-a-secret", "gitToken", "replace it: run `pulumi config set --secret aks-gitops:gitToken`"),
  sealed(
    "git-key-is-a-secret",
    "gitKey",
    "replace it: run `pulumi config set --secret aks-gitops:gitKey < FILE` with a new key",
  ),
  {
    name: "image-source-credentials-are-secret",
    subject: "secrecy of imageSourceCredentials",
    severity: "error",
    remedy:
      "replace it: run `pulumi config set --secret --path 'aks-gitops:imageSourceCredentials[\"<host>\"].password'` with another password",
    link: "https://www.pulumi.com/docs/iac/concepts/secrets/",
    check: each(
      ({ config }) => (isMap(config[IMAGE_SOURCE_CREDENTIALS]) ? Object.entries(config[IMAGE_SOURCE_CREDENTIALS]) : []),
      ([host, login], { sealed, secretKeys }) => {
        const isSecret = sealed
          ? isSealed(isMap(login) ? login.password : undefined)
          : secretKeys.includes(IMAGE_SOURCE_CREDENTIALS);
        return isSecret || !isMap(login) || typeof login.password !== "string"
          ? undefined
          : {
              path: own("imageSourceCredentials", host, "password"),
              value: "[secret]",
              problem: "stands in plain text",
            };
      },
    ),
  },
  {
    name: "secrets-stand-under-secrets",
    subject: "secrecy",
    severity: "error",
    remedy: "move it to aks-gitops:secrets",
    link: "https://www.pulumi.com/docs/iac/concepts/secrets/",
    check: each(
      ({ secretKeys }) => secretKeys.filter((key) => key.startsWith(`${NAMESPACE}:`)),
      (key) =>
        SECRET_KEYS.includes(key)
          ? undefined
          : { path: [key], value: "[secret]", problem: "holds a secret, but goes into Azure or Git as it is" },
    ),
  },
  {
    name: "settings-stand-in-their-namespace",
    subject: "namespaces",
    severity: "error",
    remedy: "rename it, or remove it",
    link: "https://www.pulumi.com/docs/iac/concepts/config/",
    check: each(strayKeys, ({ key, value, meant }) =>
      meant === undefined
        ? undefined
        : {
            path: [key],
            value: SECRET_KEYS.includes(`${NAMESPACE}:${meant}`)
              ? "[secret]"
              : typeof value === "object"
                ? undefined
                : value,
            problem: `is not read: settings stand in the namespace ${NAMESPACE}`,
            remedy: `did you mean ${NAMESPACE}:${meant}? rename it, or remove it`,
          },
    ),
  },
  {
    name: "foreign-keys-have-a-reader",
    subject: "namespace warnings",
    severity: "warning",
    remedy: "rename it, or remove it, unless something of your own reads it",
    link: "https://www.pulumi.com/docs/iac/concepts/config/",
    check: each(strayKeys, ({ key, meant }) =>
      meant === undefined
        ? {
            path: [key],
            problem: `is not read: settings stand in the namespace ${NAMESPACE}, and none is named like it`,
          }
        : undefined,
    ),
  },
  {
    name: "configuration-fits-in-one-string",
    subject: "size",
    severity: "error",
    remedy:
      "shorten it: what is large belongs into the GitOps repository as files of its own, for example below apps/ or infrastructure/base/",
    link: "https://man7.org/linux/man-pages/man2/execve.2.html",
    check: whole(({ config }) => {
      const texts = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, textOf(value ?? "")]));
      const total = bytesOf(texts);
      if ("PULUMI_CONFIG=".length + total + 1 <= LONGEST_STRING) return undefined;
      const sizes = Object.entries(texts).map(([key, text]) => ({ key, bytes: bytesOf(text) }));
      const [largest = { key: NAMESPACE, bytes: 0 }] = sizes.sort((a, b) => b.bytes - a.bytes);
      return {
        path: [largest.key],
        problem:
          `is too large: it takes ${kibibytes(largest.bytes)} of the ${kibibytes(total)} in which the engine hands the ` +
          `configuration over in one piece, and Linux refuses more than ${kibibytes(LONGEST_STRING)} with "argument list too long"`,
      };
    }),
  },
];
