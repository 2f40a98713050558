// The secrets that stand in the GitOps repository.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

/** A Kubernetes Secret in a file. */
export interface SecretInGit {
  readonly name: string;
  readonly namespace: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly isEncrypted: boolean;
}

interface Secret {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  /** What SOPS adds to a file that it encrypted. */
  readonly sops?: object;
}

/** Every Secret below a folder, sorted by file. */
export async function secretsInGit(repository: string): Promise<SecretInGit[]> {
  const files = (await readdir(repository, { recursive: true }))
    .filter((file) => /\.ya?ml$/.test(file) && !/^\.git\//.test(file))
    .sort();
  const found: SecretInGit[] = [];
  for (const file of files) {
    const text = await readFile(join(repository, file), "utf8");
    if (!/^kind: Secret\s*$/m.test(text)) continue;
    for (const document of parseAllDocuments(text)) {
      const { kind, metadata, sops } = (document.toJS() ?? {}) as Secret;
      const { name = "", namespace = "" } = metadata ?? {};
      if (kind === "Secret") found.push({ name, namespace, file, isEncrypted: sops !== undefined });
    }
  }
  return found;
}
