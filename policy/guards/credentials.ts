// Guards of credentials in plain text: outputs and inputs stand in the state, in logs and in the comments of reviews.
import type { Finding, Guard } from "../guard.ts";

/** What credentials look like that tell by their form what they are. */
const FORMS: readonly { readonly what: string; readonly form: RegExp }[] = [
  { what: "a private key", form: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/ },
  { what: "a token of GitHub", form: /\b(?:gh[oprsu]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50})/ },
  { what: "a JSON web token", form: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/ },
  { what: "a key of an Azure service", form: /\b(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{43,86}={1,2}/ },
  { what: "a shared access signature", form: /[?&]sig=[A-Za-z0-9%+/=]{40,}/ },
  { what: "a client secret of Entra", form: /(?<![\w.~-])[\w.~-]{3}[78]Q~[\w.~-]{31,34}(?![\w.~-])/ },
  { what: "a token of Pulumi", form: /\bpul-[0-9a-f]{40}\b/ },
  { what: "a webhook of Slack", form: /https:\/\/hooks\.slack\.com\/services\/\w+\/\w+\/\w+/ },
  { what: "a kubeconfig with credentials", form: /^\s*"?(?:client-key-data|token)"?:\s*"?[\w+/=.-]{20,}/m },
];

const NAMED = /(?:passw(?:or)?d|passphrase|client_?secret|access_?token|api_?key)$/i;

/** What a value looks like; undefined where it is nothing that has to be hidden, as far as its form and name tell. */
function looksLike(name: string, value: string): string | undefined {
  const form = FORMS.find(({ form }) => form.test(value));
  if (form !== undefined) return form.what;
  // A path, an address and a name of several words are no passwords.
  return NAMED.test(name) && /^[^\s/]{8,}$/.test(value) ? "a credential by its name" : undefined;
}

/** Every text in what is open, with the property that it stands in. */
function* texts(value: unknown, path: string, name: string): Generator<{ path: string; name: string; text: string }> {
  if (typeof value === "string") yield { path, name, text: value };
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) yield* texts(item, `${path}[${index}]`, name);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) yield* texts(item, path === "" ? key : `${path}.${key}`, key);
}

const plainCredentials = (open: unknown, kind: string): Finding[] =>
  [...texts(open, "", "")].flatMap(({ path, name, text }) => {
    const what = looksLike(name, text);
    return what === undefined ? [] : [{ problem: `The ${kind} ${path} looks like ${what} and is no secret` }];
  });

const SECRETS = "https://www.pulumi.com/docs/iac/concepts/secrets/";

export const credentialGuards: readonly Guard[] = [
  {
    name: "outputs-hide-credentials",
    description: "An output of the stack that looks like a credential is a secret.",
    level: "mandatory",
    remedy: "wrap it with pulumi.secret, and replace the credential, which is in the state by now",
    link: SECRETS,
    findInStack: (all) =>
      all
        .filter(({ type }) => type === "pulumi:pulumi:Stack")
        .flatMap(({ open, urn }) => plainCredentials(open, "output").map((finding) => ({ ...finding, urn }))),
  },
  {
    name: "inputs-hide-credentials",
    description: "An input of a resource that looks like a credential is a secret.",
    level: "mandatory",
    remedy: "take it from a secret of the configuration (`pulumi config set --secret`) or wrap it with pulumi.secret",
    link: SECRETS,
    find: ({ open }) => plainCredentials(open, "input"),
  },
];
