// GitHub Apps: their keys and installations, and the tokens that these get:
// https://docs.github.com/rest/apps/apps?apiVersion=2022-11-28

import { generateKeyPairSync, randomBytes, verify } from "node:crypto";
import type { CloudRequest, CloudResponse } from "../types.ts";
import type { Right, Tokens } from "./access.ts";
import { fault, readBody } from "./faults.ts";
import type { Repository } from "./model.ts";

export interface AppOptions {
  /** Its slug, as which it commits and comments. */
  readonly name: string;
  /** Whose account it is installed in. */
  readonly owner: string;
  /** What it may do with which repositories of that account, by `owner/name`. */
  readonly repositories: Readonly<Record<string, Right>>;
  /** How long its tokens live, in minutes; default 60, as GitHub's do. */
  readonly minutes?: number;
}

/** An App as its owner knows it. */
export interface RegisteredApp {
  readonly id: string;
  readonly clientId: string;
  readonly installationId: string;
  /** In PEM, PKCS#1. */
  readonly privateKey: string;
}

interface App extends AppOptions {
  readonly id: string;
  readonly clientId: string;
  readonly installationId: string;
  readonly publicKey: string;
  suspended: boolean;
}

/** How long a JSON Web Token may be good for, and how far clocks may be apart, in seconds. */
const LONGEST = 600;
const SKEW = 60;

export class Apps {
  readonly #apps: App[] = [];
  readonly #tokens: Tokens;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** Registers an App and installs it. */
  add(options: AppOptions): RegisteredApp {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
    });
    const number = this.#apps.length + 1;
    const names = {
      ...{ id: String(100_000 + number), installationId: String(50_000_000 + number) },
      clientId: `Iv23li${randomBytes(7).toString("hex")}`,
    };
    this.#apps.push({ ...options, ...names, publicKey, suspended: false });
    return { ...names, privateKey };
  }

  /** Lets an account's owner suspend an installation. */
  suspend(installationId: string): void {
    for (const app of this.#apps) if (app.installationId === installationId) app.suspended = true;
  }

  /** Whether an Authorization header is an App's own. */
  static isOwn(authorization: string | undefined): boolean {
    return /^bearer +[^.]+\.[^.]+\.[^.]+$/i.test(authorization ?? "");
  }

  /** Answers what an App asks as itself. @param repository of `/repos/OWNER/NAME/installation`. */
  answer(request: CloudRequest, repository: Repository | undefined): CloudResponse {
    const app = this.#authenticate(request.headers.authorization ?? "");
    const path = request.url.pathname;
    const { method } = request;
    if (method === "GET" && path === "/app") return { status: 200, body: { id: Number(app.id), slug: app.name } };
    if (method === "GET" && path === "/app/installations") return { status: 200, body: [installationBody(app)] };
    const [, account] = /^\/(?:orgs|users)\/([^/]+)\/installation$/.exec(path) ?? [];
    if (method === "GET" && account !== undefined) {
      if (account.toLowerCase() !== app.owner.toLowerCase()) throw fault(404, "Not Found");
      return { status: 200, body: installationBody(app) };
    }
    if (method === "GET" && path.endsWith("/installation")) {
      const isSeen = repository && this.#sees(app, repository.owner, repository.name);
      if (!isSeen) throw fault(404, "Not Found");
      return { status: 200, body: installationBody(app) };
    }
    const [, id] = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path) ?? [];
    if (method === "POST" && id === app.installationId) return this.#token(request, app);
    throw fault(404, "Not Found");
  }

  #token(request: CloudRequest, app: App): CloudResponse {
    if (app.suspended) throw fault(403, "This installation has been suspended");
    // Clients in Go say nothing by null.
    const isEmpty = ["", "null"].includes(request.body.toString().trim());
    const { repositories: names } = isEmpty ? {} : readBody(request);
    const all = Object.entries(app.repositories);
    const nameOf = (fullName: string) => fullName.split("/")[1]?.toLowerCase();
    const wanted = Array.isArray(names) ? names.map((name) => String(name).toLowerCase()) : undefined;
    const given = all.filter(([fullName]) => wanted?.includes(nameOf(fullName) ?? "") ?? true);
    if (given.length < (wanted?.length ?? 0))
      throw fault(
        422,
        "There is at least one repository that does not exist or is not accessible to the parent installation.",
      );
    const ends = Date.now() + (app.minutes ?? 60) * 60_000;
    const token = `ghs_${randomBytes(18).toString("hex")}`;
    const login = `${app.name}[bot]`;
    this.#tokens.add({ token, login, repositories: Object.fromEntries(given), of: "app", ends });
    const expires = new Date(ends).toISOString().replace(/\.\d+/, "");
    return { status: 201, body: { token, expires_at: expires, permissions: {}, repository_selection: "selected" } };
  }

  #sees(app: App, owner: string, name: string): boolean {
    return Object.keys(app.repositories).some((each) => each.toLowerCase() === `${owner}/${name}`.toLowerCase());
  }

  /** @throws ServiceError where the JSON Web Token is none of an App's, in GitHub's words. */
  #authenticate(authorization: string): App {
    const [, text = ""] = authorization.split(/ +/);
    const [header = "", claims = "", signature = ""] = text.split(".");
    const undecodable = fault(401, "A JSON web token could not be decoded");
    const { alg } = parsed(header) ?? {};
    const { iat, exp, iss } = parsed(claims) ?? {};
    if (alg !== "RS256") throw undecodable;
    const app = this.#apps.find(({ id, clientId }) => String(iss) === id || iss === clientId);
    if (app === undefined) throw fault(404, "Integration not found");
    if (!verify("sha256", Buffer.from(`${header}.${claims}`), app.publicKey, Buffer.from(signature, "base64url")))
      throw undecodable;
    const now = Date.now() / 1000;
    if (!Number.isInteger(iat) || Number(iat) > now + SKEW)
      throw fault(
        401,
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
      );
    if (!Number.isInteger(exp) || Number(exp) <= now)
      throw fault(
        401,
        "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
      );
    if (Number(exp) > now + LONGEST) throw fault(401, "'Expiration time' claim ('exp') is too far in the future");
    return app;
  }
}

function installationBody({ id, installationId, owner, name }: App): object {
  const account = { login: owner, type: "Organization" };
  return { id: Number(installationId), app_id: Number(id), app_slug: name, account, repository_selection: "selected" };
}

function parsed(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
