// The addresses of a Git repository: people, the program, Flux and SSH each write it in another way.

/** A repository on a host that keeps it as `<owner>/<name>`. */
export interface RepositoryAddress {
  /** The host's name, `github.com`. */
  readonly host: string;
  /** Who it belongs to: an organisation, a user. */
  readonly owner: string;
  /** Without `.git`. */
  readonly name: string;
}

/**
 * The repository that an address names, as people copy it from their browser or from the host: with or without `.git` or
 * a slash at its end.
 * @returns undefined when it is no `https://<host>/<owner>/<name>`.
 */
export function parseRepositoryUrl(text: string): RepositoryAddress | undefined {
  const [, host, owner, name] =
    /^https:\/\/([a-z0-9.-]+)\/([A-Za-z0-9][A-Za-z0-9-]*)\/(?!\.git\/?$)([A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(text) ??
    [];
  return host && owner && name ? { host, owner, name } : undefined;
}

/** The one address for all who write to it: without `.git`, so another way of writing it is no other repository. */
export function httpsUrl({ host, owner, name }: RepositoryAddress): string {
  return `https://${host}/${owner}/${name}`;
}

/** The address over SSH, in the form that `flux bootstrap` writes. */
export function sshUrl({ host, owner, name }: RepositoryAddress): string {
  return `ssh://git@${host}/${owner}/${name}`;
}

/** The address that a bootstrapped Flux reads over HTTPS: as people wrote it, `.git` and all, but for a slash at its end. */
export function writtenUrl(text: string): string {
  return text.replace(/\/$/, "");
}
