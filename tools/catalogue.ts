/** The programs that can be found, downloaded or built. */
export type ToolName = "pulumi" | "pulumi-language-nodejs" | "helm" | "sops";

/** Where official downloads come from; scheme and host, without a trailing slash. */
export interface DownloadHosts {
  readonly pulumi: string;
  readonly helm: string;
  readonly github: string;
}

export const OFFICIAL_HOSTS: DownloadHosts = {
  pulumi: "https://get.pulumi.com",
  helm: "https://get.helm.sh",
  github: "https://github.com",
};

/** A machine in Node's words. */
export interface Platform {
  readonly os: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

/** One official download and where its checksum is published. */
export interface Download {
  readonly url: string;
  /** A text of lines `<hex SHA-256>  <file name>`. */
  readonly checksumsUrl: string;
  /** The folder inside the archive whose files are kept; undefined where the download is the program itself. */
  readonly folder?: string;
}

export interface Tool {
  /** The version that is downloaded. */
  readonly version: string;
  /** A program of PATH fits from `from` (included) up to the major version `below` (excluded). */
  readonly fits: { readonly from: string; readonly below: number };
  /** Arguments that make the program print its version and do nothing else; none where it cannot. */
  readonly versionArgs?: readonly string[];
  /** The tool in whose official download this one comes. */
  readonly comesWith?: ToolName;
  /** The official download for a platform; undefined where none is published. */
  download?(platform: Platform, hosts: DownloadHosts): Download | undefined;
  /** The build with Go, from the pinned module in `tools/go/<tool>`. */
  readonly go: {
    readonly package: string;
    /** The version that is built, where it is not the downloaded one. */
    readonly version?: string;
    /** The variable that holds the version, and what a release has in it. */
    readonly stamp?: { readonly variable: string; readonly value: string };
  };
}

// Both name operating systems as Node does but for this one, and architectures as Go does.
const GO_OS: Partial<Record<NodeJS.Platform, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };
const GO_ARCH: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

const PULUMI = "3.259.0";
const HELM = "4.2.4";
const SOPS = "3.13.3";

/** What is known of each tool. */
export const CATALOGUE: Readonly<Record<ToolName, Tool>> = {
  pulumi: {
    version: PULUMI,
    fits: { from: "3.200.0", below: 4 },
    versionArgs: ["version"],
    // https://www.pulumi.com/docs/install/versions/
    download({ os, arch }, hosts) {
      const system = GO_OS[os];
      if (system === undefined || GO_ARCH[arch] === undefined) return undefined;
      const file = `pulumi-v${PULUMI}-${system}-${arch}.${os === "win32" ? "zip" : "tar.gz"}`;
      return {
        url: `${hosts.pulumi}/releases/sdk/${file}`,
        checksumsUrl: `${hosts.github}/pulumi/pulumi/releases/download/v${PULUMI}/pulumi-${PULUMI}-checksums.txt`,
        folder: os === "win32" ? "pulumi/bin" : "pulumi",
      };
    },
    go: {
      package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      stamp: { variable: "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", value: `v${PULUMI}` },
    },
  },
  "pulumi-language-nodejs": {
    version: PULUMI,
    fits: { from: "3.200.0", below: 4 },
    comesWith: "pulumi",
    // The last version of this host that is a Go module; newer engines still speak its protocol.
    go: { package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs", version: "3.68.0" },
  },
  helm: {
    version: HELM,
    fits: { from: "3.14.0", below: 5 },
    versionArgs: ["version", "--template", "{{.Version}}"],
    // https://helm.sh/docs/intro/install/
    download({ os, arch }, hosts) {
      const platform = `${GO_OS[os]}-${GO_ARCH[arch]}`;
      if (platform.includes("undefined")) return undefined;
      const url = `${hosts.helm}/helm-v${HELM}-${platform}.${os === "win32" ? "zip" : "tar.gz"}`;
      return { url, checksumsUrl: `${url}.sha256sum`, folder: platform };
    },
    go: {
      package: "helm.sh/helm/v4/cmd/helm",
      stamp: { variable: "helm.sh/helm/v4/internal/version.version", value: `v${HELM}` },
    },
  },
  sops: {
    version: SOPS,
    fits: { from: "3.9.0", below: 4 },
    versionArgs: ["--version", "--disable-version-check"],
    // https://github.com/getsops/sops/releases
    download({ os, arch }, hosts) {
      const [system, processor] = [GO_OS[os], GO_ARCH[arch]];
      if (system === undefined || processor === undefined) return undefined;
      const release = `${hosts.github}/getsops/sops/releases/download/v${SOPS}`;
      const platform = os === "win32" ? `${processor}.exe` : `${system}.${processor}`;
      return {
        url: `${release}/sops-v${SOPS}.${platform}`,
        checksumsUrl: `${release}/sops-v${SOPS}.checksums.txt`,
      };
    },
    go: { package: "github.com/getsops/sops/v3/cmd/sops" },
  },
};

/** Whether a version such as `v3.201.0-dev.1+meta` lies in the tool's range; text without a version does not. */
export function versionFits(text: string, fits: Tool["fits"]): boolean {
  const found = parseVersion(text);
  const from = parseVersion(fits.from);
  if (found === undefined || from === undefined || found[0] >= fits.below) return false;
  for (const [index, part] of found.entries()) {
    const least = from[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/** The first `major.minor.patch` of a text. */
export function parseVersion(text: string): [number, number, number] | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}
