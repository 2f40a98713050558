// Azure Resource Manager and Microsoft Graph as a rehearsal's deployer calls them.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Rehearsal } from "./rehearsal.ts";

/** Runs in the rehearsal's environment: a token of Entra, then the call; the answer goes to standard output. */
const PROGRAM = `
const { ARM_TENANT_ID, ARM_CLIENT_ID, ARM_CLIENT_SECRET, ARM_SUBSCRIPTION_ID } = process.env;
const [service, method, path, body] = process.argv.slice(1);
const signIn = await fetch("https://login.microsoftonline.com/" + ARM_TENANT_ID + "/oauth2/v2.0/token", {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "client_credentials", client_id: ARM_CLIENT_ID, client_secret: ARM_CLIENT_SECRET,
    scope: service + "/.default",
  }),
});
const { access_token } = await signIn.json();
const answer = await fetch(service + path.replace("SUBSCRIPTION", ARM_SUBSCRIPTION_ID), {
  method, headers: { authorization: "Bearer " + access_token, "content-type": "application/json" }, body,
});
console.log(JSON.stringify({ status: answer.status, text: await answer.text() }));
`;

/** Sends a request to ARM and gives the answer's body; a status of failure fails the test. */
export function callArm(rehearsal: Rehearsal, method: string, path: string, body?: object): Promise<unknown> {
  return call(rehearsal, "https://management.azure.com", method, path, body);
}

/** The same with Microsoft Graph. */
export function callGraph(rehearsal: Rehearsal, method: string, path: string, body?: object): Promise<unknown> {
  return call(rehearsal, "https://graph.microsoft.com", method, `/v1.0${path}`, body);
}

async function call(rehearsal: Rehearsal, service: string, method: string, path: string, body?: object) {
  const rest = [service, method, path, ...(body ? [JSON.stringify(body)] : [])];
  const ran = await rehearsal.output("node", "--input-type=module", "-e", PROGRAM, ...rest);
  const { status, text } = JSON.parse(ran) as { status: number; text: string };
  assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}

/** A resource as the program asked ARM for it. */
export interface PutRequest {
  readonly url: string;
  readonly body: { readonly properties: Record<string, unknown> };
}

/** What a rehearsal's clients asked Azure Resource Manager to change, in order. */
export class ArmLog {
  readonly #file: string;
  #from = 0;

  constructor({ folder }: Rehearsal) {
    this.#file = join(folder, "arm-requests.jsonl");
  }

  #lines(): string[] {
    return readFileSync(this.#file, "utf8").trim().split("\n");
  }

  /** What came before is not told. */
  mark(): void {
    this.#from = this.#lines().length;
  }

  /** `PUT registries/acme/...` and others since the mark: the method, and the last type with all that follows. */
  since(): string[] {
    return this.#lines()
      .slice(this.#from)
      .map((line) => JSON.parse(line) as { method: string; url: string })
      .filter(({ method }) => method !== "GET")
      .map(({ method, url }) => `${method} ${url.replace(/^.*\/providers\/[^/]+\//, "").replace(/\?.*$/, "")}`);
  }
}
