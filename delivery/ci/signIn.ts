// The sign-in to Azure for as long as a run takes: a federated token in a file, which is renewed, and for azure-native in
// Azure Pipelines a place to ask for it.

import { randomBytes } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AzureCloud, cloudOf } from "../../net/azureCloud.ts";
import { send } from "../../net/http.ts";
import { type PipelineToken, pipelineSignIn } from "../../net/signIn.ts";
import type { Environment } from "./system.ts";

/** A token is renewed when half of its time is over, but no sooner than this, in milliseconds. */
const SOONEST = 30_000;
/** The life of a token that does not tell, in milliseconds: the shortest there is. */
const SHORTEST_LIFE = 300_000;

/** A sign-in that is kept up. */
export interface KeptSignIn {
  /** What to set in the environment of all programs; undefined for what to take away. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Asks for the token anew. @returns it, or undefined where there is none to ask for. */
  readonly token: () => Promise<string | undefined>;
  close(): Promise<void>;
}

/**
 * Makes a run's programs sign in as one, and keeps that up until it is closed.
 * @param learned is told of each token, so that it can be hidden.
 * @param failed is told where a token could not be renewed.
 * @throws Error where the system gives no token.
 */
export async function keepSignIn(
  environment: Environment,
  learned: (secret: string) => void,
  failed: (reason: string) => void,
): Promise<KeptSignIn> {
  const { variables, token: source, asksFor = false } = pipelineSignIn(environment);
  if (source === undefined) return { variables, token: async () => undefined, close: async () => {} };

  const ask = async () => {
    const token = await tokenOf(source);
    learned(token);
    return token;
  };
  const folder = await mkdtemp(join(tmpdir(), "sign-in-"));
  const file = join(folder, "token");
  let timer: NodeJS.Timeout | undefined;
  let server: Server | undefined;
  let isClosed = false;
  const close = async () => {
    isClosed = true;
    clearTimeout(timer);
    server?.close();
    server?.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  };
  const renew = async () => {
    const token = await ask();
    // Written whole under another name first: nobody reads half of it.
    await writeFile(`${file}.new`, token, { mode: 0o600 });
    await rename(`${file}.new`, file);
    if (isClosed || source.from === "value") return;
    timer = setTimeout(() => void renew().catch(again), Math.max(lifeOf(token) / 2, SOONEST)).unref();
  };
  const again = (error: Error) => {
    if (isClosed) return;
    failed(error.message);
    timer = setTimeout(() => void renew().catch(again), SOONEST).unref();
  };
  try {
    await renew();
    const place = asksFor ? await answerFor(ask) : undefined;
    server = place?.server;
    return { variables: { ...variables, AZURE_FEDERATED_TOKEN_FILE: file, ...place?.variables }, token: ask, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function tokenOf(source: PipelineToken): Promise<string> {
  if (source.from === "value") return source.value;
  const { method, url, bearer, member } = source;
  const init = {
    method,
    // Else Azure DevOps sends one that it does not take to a page for people.
    headers: { authorization: `Bearer ${bearer}`, accept: "application/json", "x-tfs-fedauthredirect": "Suppress" },
  };
  const { host } = new URL(url);
  const answer = await send(url, init, { repeatable: true });
  const token = answer.ok ? memberOf(answer.body, member) : undefined;
  if (token !== undefined) return token;
  const said = memberOf(answer.body, "message");
  throw new Error(`${host} gives no token to sign in to Azure with: ${answer.status}${said ? ` (${said})` : ""}`);
}

function memberOf(body: Buffer, name: string): string | undefined {
  try {
    const value = (JSON.parse(body.toString()) as Record<string, unknown>)[name];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What is readable in a token. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** How long a token is good for, in milliseconds. */
function lifeOf(token: string): number {
  const { exp } = claimsOf(token);
  return typeof exp === "number" ? exp * 1000 - Date.now() : SHORTEST_LIFE;
}

/**
 * Answers as a GitHub workflow's service does, on loopback: azure-native asks that one for a new token each time, and
 * Azure Pipelines, which wants a POST, not at all.
 */
async function answerFor(ask: () => Promise<string>) {
  const bearer = randomBytes(24).toString("base64url");
  const server = createServer(async (request, response) => {
    if (request.headers.authorization !== `Bearer ${bearer}`) return void response.writeHead(401).end();
    try {
      const value = await ask();
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ value }));
    } catch (error) {
      response.writeHead(502, { "content-type": "text/plain" }).end((error as Error).message);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const variables = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/?`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer,
  };
  return { server, variables };
}

/**
 * Tries the sign-in: what Entra would say in the middle of a run, in words of its own, it says at the start.
 * @returns why Entra refuses the token, and what it has to look for; undefined where it takes it.
 */
export async function refusalOf(
  token: string,
  environment: Environment,
  { authority, resourceManager }: AzureCloud = cloudOf(environment),
): Promise<string | undefined> {
  const { ARM_CLIENT_ID = "", ARM_TENANT_ID = "" } = environment;
  const form = new URLSearchParams({
    client_id: ARM_CLIENT_ID,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: token,
    grant_type: "client_credentials",
    scope: `${resourceManager}/.default`,
  });
  const url = `${authority}/${encodeURIComponent(ARM_TENANT_ID)}/oauth2/v2.0/token`;
  const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
  const { ok, status, body } = await send(
    url,
    { method: "POST", headers, body: form.toString() },
    { repeatable: true },
  );
  if (ok) return undefined;
  const [reason] = (memberOf(body, "error_description") ?? `answered with ${status}`).split(/\r?\n|Trace ID/);
  const { iss, sub, aud } = claimsOf(token);
  return (
    `${reason?.trim()}\nThe token's issuer is ${iss}, its subject ${sub}, its audience ${aud}: a federated credential of ` +
    `the application ${ARM_CLIENT_ID} must have the same.`
  );
}
