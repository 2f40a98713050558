// The simulated Azure Resource Manager as a resource's cloud: what a handler sends is refused as Azure would refuse it.

import type { Context } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import type { Cloud as Azure } from "../../../provider/azure/cloud.ts";
import { type Cloud, newCloud } from "../../rehearsal/cloud/arm/cloud.ts";
import { identities, network } from "../../rehearsal/cloud/arm/platform.ts";

/** A request that was sent. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any shape.
  readonly body: any;
}

export class SimulatedArm implements Azure {
  /** The subscription that answers. */
  readonly cloud: Cloud;
  readonly sent: Sent[] = [];
  readonly messages: string[] = [];
  /** Asked before every request; what it throws is the answer. */
  intercept: (request: Sent) => void = () => {};
  readonly context: Context = {
    urn: "urn:pulumi:prod::platform::aks-gitops:index:AksCluster$gitops:index:ManagedCluster::aks",
    type: "gitops:index:ManagedCluster",
    name: "aks",
    preview: false,
    signal: new AbortController().signal,
    log: (severity, message) => this.messages.push(`${severity}: ${message}`),
  };

  private constructor(cloud: Cloud) {
    this.cloud = cloud;
  }

  /** A subscription with what a cluster stands on. */
  static async create(): Promise<SimulatedArm> {
    const cloud = await newCloud();
    await network(cloud);
    await identities(cloud);
    return new SimulatedArm(cloud);
  }

  /** A subscription as it is. */
  static of(cloud: Cloud): SimulatedArm {
    return new SimulatedArm(cloud);
  }

  /** What was asked to be changed. */
  writes(): Sent[] {
    return this.sent.filter(({ method }) => ["PUT", "DELETE"].includes(method));
  }

  arm(): ReturnType<Azure["arm"]> {
    return {
      request: async <T>(method: string, path: string, _version: string, body?: object) => {
        const request = { method, path, body: structuredClone(body) };
        this.sent.push(request);
        this.intercept(request);
        const answer = await this.cloud.call(method, path, body);
        if (answer.status >= 400) {
          const { code = "", message = "" } = answer.body?.error ?? {};
          throw new ArmError(answer.status, code, `${method} ${path}: ${answer.status} ${code}: ${message}`);
        }
        if (method === "GET" || method === "POST") return answer.body as T;
        const outcome = await this.cloud.finish(answer);
        if (outcome !== "Succeeded") throw new ArmError(200, "", `${method} ${path}: the operation ${outcome}`);
        return method === "PUT" ? ((await this.cloud.call("GET", path)).body as T) : undefined;
      },
    };
  }

  registry(): never {
    throw new Error("there is no registry here");
  }
}
