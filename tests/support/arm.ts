// Azure Resource Manager as a rehearsal's deployer calls it.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Rehearsal } from "./rehearsal.ts";

/** Runs in the rehearsal's environment: a token of Entra, then the call; the answer goes to standard output. */
const PROGRAM = `
const { ARM_TENANT_ID, ARM_CLIENT_ID, ARM_CLIENT_SECRET, ARM_SUBSCRIPTION_ID } = process.env;
const [method, path, body] = process.argv.slice(1);
const signIn = await fetch("https://login.microsoftonline.com/" + ARM_TENANT_ID + "/oauth2/v2.0/token", {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "client_credentials", client_id: ARM_CLIENT_ID, client_secret: ARM_CLIENT_SECRET,
    scope: "https://management.azure.com/.default",
  }),
});
const { access_token } = await signIn.json();
const answer = await fetch("https://management.azure.com" + path.replace("SUBSCRIPTION", ARM_SUBSCRIPTION_ID), {
  method, headers: { authorization: "Bearer " + access_token, "content-type": "application/json" }, body,
});
console.log(JSON.stringify({ status: answer.status, text: await answer.text() }));
`;

/** Sends a request and gives the answer's body; a status of failure fails the test. */
export async function callArm(rehearsal: Rehearsal, method: string, path: string, body?: object): Promise<unknown> {
  const args = ["--input-type=module", "-e", PROGRAM, method, path, ...(body ? [JSON.stringify(body)] : [])];
  const { status, text } = JSON.parse(await rehearsal.output("node", ...args)) as { status: number; text: string };
  assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
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
