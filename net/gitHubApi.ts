// Where a GitHub has its REST API, and how one talks to it.

/** The headers of every request, without who asks. GitHub wants a name of whoever calls. */
export const GITHUB_HEADERS = {
  accept: "application/vnd.github+json",
  "user-agent": "aks-gitops",
  "x-github-api-version": "2022-11-28",
} as const;

/**
 * The base of the REST API for a repository's URL: github.com and GHE.com have a host of its own for it, a GitHub
 * Enterprise Server has it below `/api/v3` (https://docs.github.com/enterprise-server/rest/about-the-rest-api).
 */
export function gitHubApi(url: string): string {
  const { protocol, host } = new URL(url);
  return host === "github.com" || host.endsWith(".ghe.com") ? `https://api.${host}` : `${protocol}//${host}/api/v3`;
}

/** A repository's owner and name in its URL. */
export function gitHubNames(url: string): { owner: string; name: string } {
  const [owner = "", name = ""] = new URL(url).pathname.split("/").slice(1);
  return { owner, name: name.replace(/\.git$/, "") };
}
