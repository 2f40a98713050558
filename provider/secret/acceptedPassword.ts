// AcceptedPassword: the newest password of an application that Entra takes. A new one is not known everywhere at once.

import * as z from "zod";
import { cloudOf } from "../../net/azureCloud.ts";
import { Again, type Clock, retry } from "../../net/retry.ts";
import { equal } from "../../plugin/diff.ts";
import { Secret, UNKNOWN } from "../../plugin/handler.ts";
import {
  changes,
  handlerOf,
  type Inputs,
  type Kept,
  resourceSchema,
  type State,
  someText,
} from "../../plugin/schema.ts";

/** The schema of `gitops:index:AcceptedPassword`. */
export const ACCEPTED_PASSWORD = resourceSchema({
  token: "gitops:index:AcceptedPassword",
  description:
    "The newest of an application's passwords with which Entra gives a token. Entra takes a new password some seconds " +
    "after it was made; it is waited for, and where it is still not taken then, an older one goes on and the next " +
    "update tries again. It has nothing in the cloud.",
  inputs: {
    tenantId: someText.describe("The id of the application's Entra tenant."),
    clientId: someText
      .describe("The application's client id; it needs a service principal. Another one is another resource.")
      .meta({ replaceOnChanges: true }),
    passwords: z
      .array(z.string().min(1))
      .min(1)
      .describe("Its passwords, the newest first.")
      .meta({ secret: true, fault: () => "is not a list of texts with one at least" }),
  },
  outputs: { password: z.string().describe("The newest that Entra took.").meta({ secret: true }) },
});

type PasswordInputs = Inputs<typeof ACCEPTED_PASSWORD>;
type PasswordState = State<typeof ACCEPTED_PASSWORD>;

/** Who signs in with which password. */
export interface SignIn {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** How Entra is asked. */
export interface Door {
  /** @throws Error in Entra's words where it gives no token. */
  readonly signIn: (who: SignIn, signal: AbortSignal) => Promise<void>;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
}

/** New passwords were seen to take 4 to 18 s: https://github.com/microsoftgraph/microsoft-graph-docs/issues/17966 */
const PAUSE = 2_000;
const LONGEST = 180_000;

/** The handler of `gitops:index:AcceptedPassword`. @param door default: Entra itself. */
export const acceptedPasswordBy = (door: Door) =>
  handlerOf(ACCEPTED_PASSWORD, {
    async diff({ inputs: old, state }, next) {
      const { changes: isChanged, replaces } = changes(ACCEPTED_PASSWORD, old, next);
      if (isChanged) return { changes: true, replaces };
      const isNewest = next.passwords === UNKNOWN || equal(state.password, next.passwords[0]);
      if (isNewest) return { changes: false };
      return { changes: true, replaces: [], detailed: { password: { kind: "update", inputDiff: false } } };
    },
    preview: async (inputs) => ({ ...inputs, password: UNKNOWN }),
    async create(inputs, context) {
      return { id: inputs.clientId, state: await stateOf(inputs, undefined, door, context) };
    },
    update: ({ state }, inputs, context) => stateOf(inputs, state.password, door, context),
  });

interface Speaker {
  readonly signal: AbortSignal;
  log(severity: "warning", message: string): void;
}

async function stateOf(
  inputs: PasswordInputs,
  kept: string | undefined,
  door: Door,
  context: Speaker,
): Promise<Kept<PasswordState>> {
  const { passwords } = inputs;
  const password = await newestAccepted(inputs, kept, door, context);
  return { ...inputs, passwords: new Secret(passwords), password: new Secret(password) };
}

/** @throws Error where Entra takes none of them. */
async function newestAccepted(
  { tenantId, clientId, passwords: [newest = "", ...older] }: PasswordInputs,
  kept: string | undefined,
  { signIn, clock }: Door,
  { signal, log }: Speaker,
): Promise<string> {
  const refusal = (clientSecret: string) =>
    signIn({ tenantId, clientId, clientSecret }, signal).then(() => undefined, firstLine);
  const words = await retry(
    async ({ wait }) => {
      const refused = await refusal(newest);
      return refused === undefined || wait === undefined ? refused : new Again();
    },
    { waits: () => PAUSE, within: LONGEST, signal, clock },
  );
  if (words === undefined) return newest;
  const waited = `Entra does not take the newest password of application ${clientId} after ${LONGEST / 60_000} minutes (${words})`;
  for (const password of older) {
    // What it took once it takes until it ends, also where nobody can ask it now.
    if (password !== kept && (await refusal(password)) !== undefined) continue;
    log("warning", `${waited}: the one before stays in use, and the next \`pulumi up\` tries again`);
    return password;
  }
  throw new Error(
    `${waited}, nor another one: run \`pulumi up\` again. Where it stays so, look whether whoever runs it reaches ` +
      "Entra's sign-in, and whether a policy of the tenant keeps the application from signing in there",
  );
}

/** What Entra says first, without traces of the request. */
function firstLine(error: unknown): string {
  const [line = ""] = (error as Error).message.split(/\r?\n| Trace ID:/);
  return line;
}

/** Asks Entra for a token of Azure Resource Manager: every application may have one, whatever its roles. */
async function askEntra({ tenantId, clientId, clientSecret }: SignIn, abortSignal: AbortSignal): Promise<void> {
  // Loaded only here: the library takes longer to load than the rest of the plugin.
  const { ClientSecretCredential } = await import("@azure/identity");
  const { authority: authorityHost, resourceManager } = cloudOf(process.env);
  // Another one for each question: it keeps what it was given.
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, { authorityHost });
  await credential.getToken(`${resourceManager}/.default`, { abortSignal });
}

export const acceptedPassword = acceptedPasswordBy({ signIn: askEntra });
