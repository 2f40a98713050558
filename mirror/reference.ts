/** An image's name in its parts; the host is always there. */
export interface Reference {
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:<hex>`. */
  readonly digest?: string;
}

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*";
const TAG = "\\w(?:[\\w.-]{0,126}\\w)?";
const DIGEST = "sha256:[0-9a-f]{64}";
const SUFFIX = `(?::(${TAG}))?(?:@(${DIGEST}))?`;
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
const WHOLE = new RegExp(`^((?:[A-Za-z0-9.-]+(?::\\d+)?/)?${COMPONENT}(?:/${COMPONENT})*)${SUFFIX}$`);
// A domain, or any name or address with a port.
const HOST =
  "(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}(?::\\d+)?|(?=[^:/]*[a-z.])[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?:\\d{2,5})";
// In the middle of any text only a name with a domain and a tag or digest is surely an image; URLs are not.
const LOOSE = new RegExp(`(?<![\\w./:@%+-])(${HOST}(?:/${COMPONENT})+)${SUFFIX}(?![\\w/:@])`, "g");

/** Hosts that are one registry. */
const DOCKER_HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"]);

/**
 * An image's name as a container runtime reads it: without a host it is Docker Hub's, one word alone is in `library/`.
 * Undefined for a text that is no image's name.
 */
export function parseReference(text: string): Reference | undefined {
  const match = WHOLE.exec(text);
  if (match?.[1] === undefined) return undefined;
  const [, name, tag, digest] = match;
  const suffix = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  if (!/[.:]/.test(first) && first !== "localhost") return { ...dockerHub(name), ...suffix };
  const repository = name.slice(slash + 1);
  if (DOCKER_HUB.has(first)) return { ...dockerHub(repository), ...suffix };
  return { host: first, repository, ...suffix };
}

function dockerHub(repository: string): Reference {
  return { host: "docker.io", repository: repository.includes("/") ? repository : `library/${repository}` };
}

/** Host and repository, without tag and digest. */
export function nameOf({ host, repository }: Reference): string {
  return `${host}/${repository}`;
}

/** The name under which the lock lists an image: with its tag where it has one (or none at all), else its digest. */
export function sourceOf(reference: Reference): string {
  const { tag, digest } = reference;
  if (tag === undefined && digest !== undefined) return `${nameOf(reference)}@${digest}`;
  return `${nameOf(reference)}:${tag ?? "latest"}`;
}

/** What tells an image from all others: {@link sourceOf} and its digest. */
export function keyOf(reference: Reference): string {
  return `${sourceOf(reference)} ${reference.digest ?? ""}`;
}

/** Where a reference stands in a text. */
export interface Occurrence {
  readonly start: number;
  readonly end: number;
  readonly reference: Reference;
}

/** Every image with host and tag or digest in the middle of a text. */
export function findReferences(text: string): Occurrence[] {
  const found: Occurrence[] = [];
  for (const match of text.matchAll(LOOSE)) {
    const reference = parseReference(match[0]);
    if (reference === undefined || (reference.tag === undefined && reference.digest === undefined)) continue;
    found.push({ start: match.index, end: match.index + match[0].length, reference });
  }
  return found;
}
