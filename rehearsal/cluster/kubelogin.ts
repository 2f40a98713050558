// Stands in for Azure's kubelogin in a rehearsal: `kubelogin get-token --server-id ID` prints an ExecCredential with a
// token of the (simulated) Entra for the identity that ARM_* or AZURE_* name, whatever way to log in is asked for.
import { parseArgs } from "node:util";

/** The values of `--name value` and `--name=value`. */
const { values } = parseArgs({
  args: process.argv.slice(2),
  strict: false,
  options: { "server-id": { type: "string" }, "tenant-id": { type: "string" } },
});
const setting = (...names: string[]) => names.map((name) => process.env[name]).find((value) => value);

try {
  if (process.argv[2] !== "get-token") throw new Error(`only "get-token" is known, not "${process.argv[2] ?? ""}"`);
  console.log(JSON.stringify(await credential()));
} catch (error) {
  console.error(`kubelogin (of the rehearsal): ${(error as Error).message}`);
  process.exitCode = 1;
}

async function credential(): Promise<object> {
  const serverId = values["server-id"];
  const clientId = setting("AAD_SERVICE_PRINCIPAL_CLIENT_ID", "AZURE_CLIENT_ID", "ARM_CLIENT_ID");
  const secret = setting("AAD_SERVICE_PRINCIPAL_CLIENT_SECRET", "AZURE_CLIENT_SECRET", "ARM_CLIENT_SECRET");
  const tenant = values["tenant-id"] ?? setting("AZURE_TENANT_ID", "ARM_TENANT_ID");
  if (typeof serverId !== "string") throw new Error("--server-id is missing");
  if (!clientId || !secret || !tenant)
    throw new Error("ARM_CLIENT_ID, ARM_CLIENT_SECRET and ARM_TENANT_ID must be set, as in a rehearsal's commands");
  const response = await fetch(`https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: secret,
      scope: `${serverId}/.default`,
    }),
  });
  const answer = (await response.json()) as { access_token: string; expires_in: number; error_description?: string };
  if (!response.ok) throw new Error(answer.error_description ?? `Entra answered with ${response.status}`);
  return {
    apiVersion: requestedVersion(),
    kind: "ExecCredential",
    status: {
      token: answer.access_token,
      expirationTimestamp: new Date(Date.now() + answer.expires_in * 1000).toISOString(),
    },
  };
}

/** The version of the answer that the client asks for. */
function requestedVersion(): string {
  const info = process.env.KUBERNETES_EXEC_INFO;
  return info === undefined
    ? "client.authentication.k8s.io/v1beta1"
    : (JSON.parse(info) as { apiVersion: string }).apiVersion;
}
