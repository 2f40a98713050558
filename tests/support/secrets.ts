/** The key and the value that mark a secret in a Pulumi state (github.com/pulumi/pulumi, sdk/go/common/resource/sig). */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Every string that stands in a secret of `exported`, what `pulumi stack export --show-secrets` printed. */
export function secretsIn(exported: unknown): string[] {
  if (typeof exported !== "object" || exported === null) return [];
  const { [signatureKey]: signature, plaintext } = exported as Record<string, unknown>;
  if (signature === secretSignature && typeof plaintext === "string") return stringsIn(JSON.parse(plaintext));
  return Object.values(exported).flatMap(secretsIn);
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}
