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
export const gitHubHost = (gitHub: GitHub): Promise<GitHost> => host(gitHub.enterprise, "https://github.acme.example");

export const devOpsHost = (devOps: AzureDevOps): Promise<GitHost> => host(devOps.service, "https://dev.azure.com");

async function host(service: Service, origin: string): Promise<GitHost> {
  const loopback: Loopback = await listen(async (request) => {
    const instead = served.before?.(request);
    if (instead !== undefined && instead !== "lost") return instead;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const { method, body } = request;
    const url = new URL(`${origin}${request.url.pathname}${request.url.search}`);
    const place = { place: "outside", address: "203.0.113.10" } as const;
    const answer: CloudResponse = await service({ method, url, headers, body, ...place });
    return instead === "lost" ? { status: 502 } : answer;
  });
  const served: GitHost = loopback;
  return served;
}
