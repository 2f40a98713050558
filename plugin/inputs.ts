// Faults of a resource's inputs, all at once; each reason names the value and the remedy.

import { type CheckFailure, type Properties, UNKNOWN } from "./handler.ts";

/** What is wrong with a value, in words with a remedy; undefined when nothing is. */
export type Rule = (value: unknown) => string | undefined;

export interface Form {
  readonly required: Readonly<Record<string, Rule>>;
  readonly optional?: Readonly<Record<string, Rule>>;
}

/** Checks inputs against a form. Unknown values have no fault yet; a property the form lacks is one. */
export function checkForm(inputs: Properties, form: Form): CheckFailure[] {
  const rules = { ...form.required, ...form.optional };
  const failures: CheckFailure[] = [];
  for (const property of Object.keys(inputs)) {
    if (Object.hasOwn(rules, property)) continue;
    failures.push({ property, reason: `there is no such property; there are ${Object.keys(rules).join(", ")}` });
  }
  for (const [property, rule] of Object.entries(rules)) {
    const value = inputs[property];
    if (value === UNKNOWN) continue;
    const isMissing = value === undefined || value === null;
    if (isMissing && !Object.hasOwn(form.required, property)) continue;
    const reason = isMissing ? "is missing" : rule(value);
    if (reason !== undefined) failures.push({ property, reason });
  }
  return failures;
}

/** A text of a form. @param name of the form and an example, such as `a digest: sha256:<64 hex digits>`. */
export function matching(pattern: RegExp, name: string): Rule {
  return (value) =>
    typeof value === "string" && pattern.test(value) ? undefined : `${JSON.stringify(value)} is not ${name}`;
}

export const isBoolean: Rule = (value) =>
  typeof value === "boolean" ? undefined : `${JSON.stringify(value)} is neither true nor false`;

const SEGMENT = "[^/?#]+";

/** The ARM id of a resource of a type, for example `Microsoft.ContainerRegistry/registries`. */
export function armIdOf(type: string): Rule {
  const id = `/subscriptions/<id>/resourceGroups/<group>/providers/${type}/<name>`;
  const pattern = new RegExp(
    `^/subscriptions/${SEGMENT}/resourceGroups/${SEGMENT}/providers/${type.replaceAll(".", "\\.")}/${SEGMENT}$`,
    "i",
  );
  return matching(pattern, `the ARM id of a resource: ${id}`);
}

/** An Azure container registry's login server, without scheme. */
export const isLoginServer = matching(
  /^[a-z0-9]+(-[a-z0-9]+)*\.azurecr\.(io|cn|us)$/,
  "the login server of an Azure container registry, in lower case and without https://: <name>.azurecr.io",
);

export const isDigest = matching(/^sha256:[a-f0-9]{64}$/, "a digest: sha256:<64 hex digits in lower case>");

const REPOSITORY_PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";

/** The grammar of the OCI distribution specification. */
export const REPOSITORY = `${REPOSITORY_PART}(?:/${REPOSITORY_PART})*`;

export const isRepository = matching(
  new RegExp(`^${REPOSITORY}$`),
  "a repository: parts in lower case between slashes, without tag and digest, such as ghcr.io/kubereboot/kured",
);

export const isTag = matching(/^\w[\w.-]{0,127}$/, "a tag: up to 128 letters, digits, dots, dashes and underscores");
