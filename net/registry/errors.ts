// What a registry refuses, told apart: a real fault, or only no way to look from here.

import type { Answer } from "../http.ts";

/** A registry's refusal in its own words. */
export class RegistryError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "RegistryError";
    this.status = status;
  }
}

/**
 * The registry cannot be looked into from here: no way to it, its firewall, or no right to this repository. Where
 * something else vouches for the content, this is no reason to fail.
 */
export class RegistryClosed extends RegistryError {
  /** Whether the network is in the way, which no role assignment changes. */
  readonly network: boolean;
  constructor(status: number, message: string, network: boolean) {
    super(status, message);
    this.name = "RegistryClosed";
    this.network = network;
  }
}

/** A registry that lets a caller ask only so often; it was asked again for as long as that made sense. */
export class RateLimited extends RegistryError {
  /** The registry, as image names write it. */
  readonly host: string;
  constructor(host: string, message: string) {
    super(429, message);
    this.name = "RateLimited";
    this.host = host;
  }
}

/**
 * The error for a registry's refusal; what it says about its firewall is kept.
 * @param host of the registry, as image names write it.
 */
export function refusal(response: Answer, what: string, host: string): RegistryError {
  const words = wordsOf(response.body.toString()) || response.statusText || "no reason given";
  const message = `${what}: ${response.status}: ${words}`;
  if (response.status === 429) return new RateLimited(host, `the rate limit of ${host} is reached: ${message}`);
  // https://aka.ms/acr/firewall: "client with IP '...' is not allowed access."
  const network = response.status === 403 && /firewall|not allowed access/i.test(words);
  const closed = response.status === 401 || response.status === 403;
  return closed ? new RegistryClosed(response.status, message, network) : new RegistryError(response.status, message);
}

function wordsOf(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: { code?: string; message?: string }[] };
    return (errors ?? []).map(({ code, message }) => `${code ?? ""} ${message ?? ""}`.trim()).join("; ");
  } catch {
    return text.slice(0, 200).trim();
  }
}
