// Errors in words: one clear message, no stack, the causes of a cause included.

/**
 * An error's message with those of its causes: `fetch failed` alone, Node's word for any network fault, helps nobody.
 * With PULUMI_DEBUG in the environment the stack follows.
 */
export function describe(error: unknown): string {
  const messages: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null; at = at instanceof Error ? at.cause : undefined) {
    const message = messageOf(at);
    if (message !== "" && !messages.some((earlier) => earlier.includes(message))) messages.push(message);
  }
  const text = messages.join(": ") || "unknown error";
  return process.env.PULUMI_DEBUG && error instanceof Error && error.stack ? `${text}\n${error.stack}` : text;
}

function messageOf(error: unknown): string {
  // A connection tried over IPv6 and IPv4 fails with both reasons and no message of its own.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
