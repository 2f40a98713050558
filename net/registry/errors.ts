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

/** The error for a registry's refusal; what it says about its firewall is kept. */
export function refusal(response: Answer, what: string): RegistryError {
  const words = wordsOf(response.body.toString()) || response.statusText || "no reason given";
  const message = `${what}: ${response.status}: ${words}`;
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
