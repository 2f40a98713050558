// This process' environment, which some of what is tested reads by itself.

/** Sets variables, or unsets those that are undefined. @returns what puts all of it back as it was. */
export function setEnvironment(variables: Readonly<Record<string, string | undefined>>): () => void {
  const saved = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  write(variables);
  return () => write(saved);
}

function write(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
