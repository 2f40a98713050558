import { type Credential, credentialVariables, findCredential } from "../../../net/gitCredential.ts";
import { GITHUB_HEADERS, gitHubApi } from "../../../net/gitHubApi.ts";
import type { Answer } from "../../../net/http.ts";
import type { Environment } from "../../../net/signIn.ts";
import type { FluxSettings } from "../../../settings/types.ts";
import { check, type Finding, stops, warns } from "../check.ts";
import type { Reach } from "../reach.ts";

const DEPLOY_KEYS = "https://docs.github.com/rest/deploy-keys/deploy-keys";

/** A token that ends within this many days is told. */
const SOON = 14;
const DAY = 24 * 3600 * 1000;

export const gitHub = check({
  name: "github",
  about:
    "whether GitHub's token is good, sees the repository and may do there what the stack asks, and what the organisation forbids",
  needs: ["settings"],
  find: async ({ place: { reach, environment }, settings: { flux } }) => {
    if (flux.owner === undefined || flux.name === undefined) return [];
    // An App's key goes to no request as it is, and what the App may do its installation says.
    if (flux.commit?.githubApp !== undefined) return appKey(flux, environment);
    const given = findCredential(flux.repository, flux.commit, environment);
    if (given === undefined) {
      const problem = `is not set, and the program writes ${flux.repository} with it`;
      const remedy = "set it to a token that may write there: contents, read and write";
      return [stops({ key: flux.commit?.credential ?? "GITHUB_TOKEN", problem, remedy })];
    }
    const api = gitHubApi(flux.repository);
    const call = (path: string) => ask(reach, given.token, `${api}${path}`);
    const answer = await call(`/repos/${flux.owner}/${flux.name}`);
    const whole = [...signedIn(answer, given, flux), ...ending(answer, given, reach.now())];
    if (!answer.ok) return whole;
    const repository = bodyOf(answer) as Repository;
    return [
      ...whole,
      ...rightsIn(repository, given, flux),
      ...(flux.auth === "deployKey" ? await deployKeys(call, flux) : []),
      ...(await branch(call, flux)),
    ];
  },
});

function appKey({ repository, commit }: FluxSettings, environment: Environment): Finding[] {
  const [key] = credentialVariables(repository, commit, environment);
  if (environment[key]) return [];
  const problem = `is not set, and the program writes ${repository} as the App whose private key it holds`;
  return [stops({ key, problem, remedy: "set it to the App's private key, in PEM" })];
}

interface Repository {
  readonly archived?: boolean;
  readonly permissions?: { readonly admin?: boolean; readonly push?: boolean };
}

function ask(reach: Reach, token: string, url: string): Promise<Answer> {
  return reach.send(url, { headers: { ...GITHUB_HEADERS, authorization: `Bearer ${token}` } });
}

function bodyOf({ body }: Answer): Record<string, unknown> {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** What keeps the token from seeing the repository. */
function signedIn(
  answer: Answer,
  { variable: key }: Credential,
  { repository: value, createRepository }: FluxSettings,
) {
  const { status, headers } = answer;
  if (status === 401)
    return [
      stops({ key, problem: "is no token that GitHub takes: it has ended or was revoked", remedy: "make a new one" }),
    ];
  const sso = headers.get("x-github-sso") ?? "";
  if (status === 403 && sso.startsWith("required")) {
    const [, url] = /url=(https:\/\/github\.com\/[^\s,;]+)/.exec(sso) ?? [];
    const remedy = `authorize it for the organisation${url ? `: ${url}` : " (Settings, Developer settings, Configure SSO)"}`;
    return [stops({ key, value, problem: "is not authorized for the organisation's single sign-on (SAML)", remedy })];
  }
  if (status === 404 && !createRepository) {
    const remedy =
      "correct aks-gitops:flux.repository, let the token see that repository, or let it be made: aks-gitops:flux.createRepository: true";
    return [stops({ key, value, problem: "sees no such repository", remedy })];
  }
  if (answer.ok || status === 404) return [];
  const words = String(bodyOf(answer).message ?? answer.statusText);
  return [
    stops({ key, value, problem: `does not get at the repository: ${status} ${words}`, remedy: "do what GitHub says" }),
  ];
}

/** https://github.blog/changelog/2021-07-26-expiration-options-for-personal-access-tokens */
function ending({ headers }: Answer, { variable: key }: Credential, now: Date): Finding[] {
  const text = headers.get("github-authentication-token-expiration");
  const end = Date.parse((text ?? "").replace(" UTC", "Z").replace(" ", "T"));
  if (Number.isNaN(end) || end - now.getTime() > SOON * DAY) return [];
  const problem = `ends within ${SOON} days`;
  return [
    warns({
      key,
      value: text,
      problem,
      remedy: "make a new one before; another name is how it rotates: flux.commit.credential",
    }),
  ];
}

function rightsIn(
  { archived, permissions = {} }: Repository,
  { variable: key }: Credential,
  flux: FluxSettings,
): Finding[] {
  const { repository: value, auth } = flux;
  const isLocked = archived
    ? [
        stops({
          key: "aks-gitops:flux.repository",
          value,
          problem: "is archived: nobody writes to it",
          remedy: "unarchive it",
        }),
      ]
    : [];
  const cannotPush = permissions.push
    ? []
    : [
        stops({
          key,
          value,
          problem: "may not write there",
          remedy: "give it the permission Contents: write, or the scope repo",
        }),
      ];
  const cannotAdd =
    auth !== "deployKey" || permissions.admin
      ? []
      : [
          stops({
            ...{ key, value, problem: "may not add a deploy key there, which flux.auth deployKey takes" },
            remedy:
              "give it the permission Administration: write, or let Flux read with a token: aks-gitops:flux.auth: token",
          }),
        ];
  return [...isLocked, ...cannotPush, ...cannotAdd];
}

/** New organisations forbid deploy keys. */
async function deployKeys(call: (path: string) => Promise<Answer>, { owner = "" }: FluxSettings): Promise<Finding[]> {
  const answer = await call(`/orgs/${owner}`);
  // A user is no organisation, and has no such rule.
  if (!answer.ok || bodyOf(answer).deploy_keys_enabled_for_repositories !== false) return [];
  return [
    stops({
      ...{
        key: "aks-gitops:flux.auth",
        value: "deployKey",
        problem: `cannot be: the organisation ${owner} forbids deploy keys`,
      },
      remedy:
        `let Flux read with a token: aks-gitops:flux.auth: token; or an owner of ${owner} allows them ` +
        `(Settings, Member privileges, Deploy keys). ${DEPLOY_KEYS}`,
    }),
  ];
}

async function branch(call: (path: string) => Promise<Answer>, flux: FluxSettings): Promise<Finding[]> {
  const answer = await call(`/repos/${flux.owner}/${flux.name}/branches/${encodeURIComponent(flux.branch)}`);
  if (!answer.ok || bodyOf(answer).protected !== true) return [];
  const key = "aks-gitops:flux.branch";
  const problem =
    "is protected: GitHub refuses the program's push where its rules ask for a pull request, a check or a signature";
  const remedy =
    "merge the pull request that the update opens then, as aks-gitops:flux.commit.pullRequest says, or let the token's owner bypass the rules";
  return [warns({ key, value: flux.branch, problem, remedy })];
}
