/**
 * The text of `.dockerconfigjson`, with which a registry's clients sign in to one server:
 * https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets
 */
export function dockerConfig(server: string, username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({ auths: { [server]: { username, password, auth } } });
}
