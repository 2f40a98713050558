/** The tools of the rehearsal's cluster: they are built together. */
export const CLUSTER_TOOLS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubectl",
  "kustomize",
  "kwok",
  "source-controller",
  "kustomize-controller",
  "helm-controller",
  "notification-controller",
] as const;
export type ClusterTool = (typeof CLUSTER_TOOLS)[number];

/** The programs that can be found, downloaded or built. */
export type ToolName =
  | "pulumi"
  | "pulumi-language-nodejs"
  | "helm"
  | "sops"
  | "flux"
  | "kubelogin"
  | "cosign-verify"
  | ClusterTool;

/** Where official downloads come from; scheme and host, without a trailing slash. */
export interface DownloadHosts {
  readonly pulumi: string;
  readonly helm: string;
  readonly github: string;
  readonly kubernetes: string;
}

export const OFFICIAL_HOSTS: DownloadHosts = {
  pulumi: "https://get.pulumi.com",
  helm: "https://get.helm.sh",
  github: "https://github.com",
  kubernetes: "https://dl.k8s.io",
};

/** A machine in Node's words. */
export interface Platform {
  readonly os: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

/** One official download and where its checksum is published. */
export interface Download {
  readonly url: string;
  /** A text of lines `<hex SHA-256>  <file name>`, or of the SHA-256 alone. */
  readonly checksumsUrl: string;
  /** The folder inside the archive whose files are kept; undefined where the download is the program itself. */
  readonly folder?: string;
}

export interface Tool {
  /** The version that is downloaded. */
  readonly version: string;
  /** A program of PATH fits from the version `from` (included) up to `below` (excluded); without, none does. */
  readonly fits?: { readonly from: string; readonly below: string };
  /** Arguments that make the program print its version and do nothing else; none where it cannot. */
  readonly versionArgs?: readonly string[];
  /** The tool in whose official download this one comes. */
  readonly comesWith?: ToolName;
  /** The official download for a platform; undefined where none is published. */
  download?(platform: Platform, hosts: DownloadHosts): Download | undefined;
  /** The build with Go, from the pinned module in `tools/go/<bundle or tool>`. */
  readonly go: {
    readonly package: string;
    /** The version that is built, where it is not the downloaded one. */
    readonly version?: string;
    /** The variables that hold the version, and what a release has in them. */
    readonly stamps?: Readonly<Record<string, string>>;
    /** The tools that are built together in one run of Go, for they share most of their packages. */
    readonly bundle?: BundleName;
    /**
     * A program of this repository: the bundle whose module it stands in, so that it is made of the same versions, and
     * the module that its version is that of.
     */
    readonly own?: { readonly module: BundleName; readonly versionOf: string };
    /** The module lacks files that its release makes: it is built from a copy that has them. */
    readonly completed?: "flux";
  };
}

/** Tools built together, and the name of their folder in the cache: it changes with the versions of its tools. */
export const BUNDLES = { cluster: "cluster-1.36.3-2.9.4" } as const;
export type BundleName = keyof typeof BUNDLES;

/** All tools of a bundle. */
export function toolsOf(bundle: BundleName): ToolName[] {
  return (Object.keys(CATALOGUE) as ToolName[]).filter((name) => CATALOGUE[name].go.bundle === bundle);
}

// Both name operating systems as Node does but for this one, and architectures as Go does.
const GO_OS: Partial<Record<NodeJS.Platform, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };
const GO_ARCH: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

const PULUMI = "3.259.0";
const HELM = "4.2.4";
const SOPS = "3.13.3";
const FLUX = "2.9.4";
const KUBELOGIN = "0.2.22";
const KUBERNETES = "1.36.3";

/** A part of the cluster that nobody takes from PATH: the versions fit each other. */
const built = (version: string, path: string): Tool => ({ version, go: { package: path, bundle: "cluster" } });

const [KUBERNETES_MAJOR = "", KUBERNETES_MINOR = ""] = KUBERNETES.split(".");
/** What a release of Kubernetes has in its version packages: clients ask the API server for it. */
const KUBERNETES_STAMPS = Object.fromEntries(
  ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) => [
    [`${path}.gitVersion`, `v${KUBERNETES}`],
    [`${path}.gitMajor`, KUBERNETES_MAJOR],
    [`${path}.gitMinor`, KUBERNETES_MINOR],
  ]),
);

const kubernetes = (name: string): Tool => ({
  version: KUBERNETES,
  go: { package: `k8s.io/kubernetes/cmd/${name}`, bundle: "cluster", stamps: KUBERNETES_STAMPS },
});

/** What is known of each tool. */
export const CATALOGUE: Readonly<Record<ToolName, Tool>> = {
  pulumi: {
    version: PULUMI,
    fits: { from: "3.200.0", below: "4.0.0" },
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
      stamps: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": `v${PULUMI}` },
    },
  },
  "pulumi-language-nodejs": {
    version: PULUMI,
    fits: { from: "3.200.0", below: "4.0.0" },
    comesWith: "pulumi",
    // The last version of this host that is a Go module; newer engines still speak its protocol.
    go: { package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs", version: "3.68.0" },
  },
  helm: {
    version: HELM,
    fits: { from: "3.14.0", below: "5.0.0" },
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
      stamps: { "helm.sh/helm/v4/internal/version.version": `v${HELM}` },
    },
  },
  sops: {
    version: SOPS,
    fits: { from: "3.9.0", below: "4.0.0" },
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
  flux: {
    version: FLUX,
    // What it installs goes by its own version, to the letter.
    fits: { from: FLUX, below: "2.9.5" },
    versionArgs: ["version", "--client"],
    // https://fluxcd.io/flux/installation/
    download({ os, arch }, hosts) {
      const platform = `${GO_OS[os]}_${GO_ARCH[arch]}`;
      if (platform.includes("undefined")) return undefined;
      const release = `${hosts.github}/fluxcd/flux2/releases/download/v${FLUX}`;
      return {
        url: `${release}/flux_${FLUX}_${platform}.${os === "win32" ? "zip" : "tar.gz"}`,
        checksumsUrl: `${release}/flux_${FLUX}_checksums.txt`,
        folder: ".",
      };
    },
    go: { package: "github.com/fluxcd/flux2/v2/cmd/flux", stamps: { "main.VERSION": FLUX }, completed: "flux" },
  },
  kubelogin: {
    version: KUBELOGIN,
    // Older ones do not know Azure Pipelines; from 1.0.0 on it is another program of the same name, for any OpenID issuer.
    fits: { from: "0.2.10", below: "1.0.0" },
    versionArgs: ["--version"],
    // https://azure.github.io/kubelogin/install.html
    download({ os, arch }, hosts) {
      const [system, processor] = [GO_OS[os], GO_ARCH[arch]];
      if (system === undefined || processor === undefined) return undefined;
      const release = `${hosts.github}/Azure/kubelogin/releases/download/v${KUBELOGIN}`;
      const url = `${release}/kubelogin-${os === "win32" ? "win" : system}-${processor}.zip`;
      return { url, checksumsUrl: `${url}.sha256`, folder: `bin/${system}_${processor}` };
    },
    go: {
      package: "github.com/Azure/kubelogin",
      // The last version that Go 1.26.6 builds.
      version: "0.2.21",
      stamps: { "main.gitTag": "v0.2.21" },
    },
  },
  // The judge of signatures in tests: built when one asks for it, of what source-controller was built of.
  "cosign-verify": {
    version: "3.0.6",
    go: {
      package: "aks-gitops.invalid/tools/cluster/cosign-verify",
      own: { module: "cluster", versionOf: "github.com/sigstore/cosign/v3" },
    },
  },
  kubectl: {
    ...kubernetes("kubectl"),
    // One minor version from the API server's at most: https://kubernetes.io/releases/version-skew-policy/#kubectl
    fits: { from: "1.35.0", below: "2.0.0" },
    versionArgs: ["version", "--client"],
    // https://kubernetes.io/docs/tasks/tools/
    download({ os, arch }, hosts) {
      const [system, processor] = [GO_OS[os], GO_ARCH[arch]];
      if (system === undefined || processor === undefined) return undefined;
      const file = os === "win32" ? "kubectl.exe" : "kubectl";
      const url = `${hosts.kubernetes}/release/v${KUBERNETES}/bin/${system}/${processor}/${file}`;
      return { url, checksumsUrl: `${url}.sha256` };
    },
  },
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  "kube-scheduler": kubernetes("kube-scheduler"),
  etcd: built("3.6.8", "go.etcd.io/etcd/server/v3"),
  kwok: built("0.8.0", "sigs.k8s.io/kwok/cmd/kwok"),
  kustomize: built("5.8.1", "sigs.k8s.io/kustomize/kustomize/v5"),
  // The controllers of the flux above.
  "source-controller": built("1.9.4", "github.com/fluxcd/source-controller"),
  "kustomize-controller": built("1.9.4", "github.com/fluxcd/kustomize-controller"),
  "helm-controller": built("1.6.3", "github.com/fluxcd/helm-controller"),
  "notification-controller": built("1.9.3", "github.com/fluxcd/notification-controller"),
};

/** Whether a version such as `v3.201.0-dev.1+meta` lies in the tool's range; text without a version does not. */
export function versionFits(text: string, fits: NonNullable<Tool["fits"]>): boolean {
  const found = parseVersion(text);
  const from = parseVersion(fits.from);
  const below = parseVersion(fits.below);
  if (found === undefined || from === undefined || below === undefined) return false;
  return compare(found, from) >= 0 && compare(found, below) < 0;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** The first `major.minor.patch` of a text. */
export function parseVersion(text: string): [number, number, number] | undefined {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}
