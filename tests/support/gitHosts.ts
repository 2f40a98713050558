// The simulated GitHub and Azure DevOps on loopback, as Enterprise servers have them: Git and the REST API behind one host.

import type { AzureDevOps } from "../../rehearsal/cloud/devops/service.ts";
import type { GitHub } from "../../rehearsal/cloud/github/service.ts";
import type { CloudResponse, Service } from "../../rehearsal/cloud/types.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "./loopback.ts";

/** Called before a request is served: an answer ends it; `lost` serves it, and answers 502. */
export type Before = (request: LoopbackRequest) => LoopbackAnswer | "lost" | undefined;

export interface GitHost extends Loopback {
  before?: Before | undefined;
}

/** GitHub, with its API below /api/v3. */
export const gitHubHost = (gitHub: GitHub): Promise<GitHost> =>
  host(({ url }) =>
    url.pathname.startsWith("/api/v3/")
      ? [gitHub.api, `https://api.github.com${url.pathname.slice("/api/v3".length)}${url.search}`]
      : [gitHub.git, `https://github.com${url.pathname}${url.search}`],
  );

export const devOpsHost = (devOps: AzureDevOps): Promise<GitHost> =>
  host(({ url }) => [devOps.service, `https://dev.azure.com${url.pathname}${url.search}`]);

async function host(route: (request: LoopbackRequest) => readonly [Service, string]): Promise<GitHost> {
  const loopback: Loopback = await listen(async (request) => {
    const instead = served.before?.(request);
    if (instead !== undefined && instead !== "lost") return instead;
    const [service, url] = route(request);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const { method, body } = request;
    const place = { place: "outside", address: "203.0.113.10" } as const;
    const answer: CloudResponse = await service({ method, url: new URL(url), headers, body, ...place });
    return instead === "lost" ? { status: 502 } : answer;
  });
  const served: GitHost = loopback;
  return served;
}
