import { execFile } from "node:child_process";
import { access, chmod, constants, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { delimiter, dirname, join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "./cacheFolder.ts";
import { withLock } from "./cacheLock.ts";
import {
  BUNDLES,
  CATALOGUE,
  type DownloadHosts,
  OFFICIAL_HOSTS,
  type Platform,
  type ToolName,
  versionFits,
} from "./catalogue.ts";
import { ChecksumError, download } from "./download.ts";
import { completedFlux } from "./fluxSource.ts";
import { goBuild, goFetch, goVersion } from "./goBuild.ts";

export interface FindOptions {
  /** Receives one line for each tool and, in a long build, one every 20 seconds; default: nothing is said. */
  readonly log?: (line: string) => void;
  /** PATH, AKS_GITOPS_CACHE, XDG_CACHE_HOME and Go's own variables; default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where official downloads come from; default: the official hosts. */
  readonly hosts?: DownloadHosts;
  /** Default: this machine. */
  readonly platform?: Platform;
  /** What Go builds is built when this has come, for it is needed first; nothing is built where it fails. */
  readonly buildAfter?: Promise<unknown>;
}

/** How often a long download or build says that it goes on, in milliseconds. */
const HEARTBEAT = 20_000;
/** How long a program may take to say its version, in milliseconds. */
const VERSION_TIMEOUT = 20_000;
/** Leftovers of interrupted downloads and builds are removed after this time, in milliseconds. */
const LEFTOVER_AGE = 24 * 3600 * 1000;

/** Searches of this process, and builds of several tools at once, by the place that they fill. */
const underWay = new Map<string, Promise<unknown>>();

/** Does a thing once for all who ask for it while it is under way. */
function once<T>(place: string, action: () => Promise<T>): Promise<T> {
  const running = underWay.get(place);
  if (running !== undefined) return running as Promise<T>;
  const result = action().finally(() => underWay.delete(place));
  underWay.set(place, result);
  return result;
}

/**
 * The absolute path of a tool: from PATH where its version fits, else from the cache, else from the official download
 * with its published checksum, else built with Go from pinned modules; the last two go into the cache.
 * Several callers and processes may ask at once: the work is done once.
 * @throws ChecksumError when a download is not what its publisher says it is.
 * @throws Error saying what was tried and what to install when there is no way.
 */
export async function findTool(name: ToolName, options: FindOptions = {}): Promise<string> {
  const search = new Search(name, options);
  return once(search.place, () => search.run());
}

/** The absolute paths of several tools, each found as `findTool` does. */
export async function findTools<T extends ToolName>(
  names: readonly T[],
  options: FindOptions = {},
): Promise<Record<T, string>> {
  const found = await Promise.all(names.map(async (name) => [name, await findTool(name, options)] as const));
  return Object.fromEntries(found) as Record<T, string>;
}

/** A tool that needs neither a download nor a build. */
export interface ToolAtHand {
  readonly path: string;
  readonly version: string;
  /** Whether it is on PATH, and not in the cache alone. */
  readonly onPath: boolean;
}

/** A tool as `findTool` would find it without doing anything for it; undefined where it would download or build it. */
export function toolAtHand(name: ToolName, options: FindOptions = {}): Promise<ToolAtHand | undefined> {
  return new Search(name, options).atHand();
}

/** The folders of all tools that are in the cache by now; nothing is downloaded or built. */
export async function cachedFolders(options: FindOptions = {}): Promise<string[]> {
  const names = Object.keys(CATALOGUE) as ToolName[];
  const found = await Promise.all(names.map((name) => new Search(name, options).cached()));
  return [...new Set(found.flatMap((path) => (path === undefined ? [] : [dirname(path)])))];
}

class Search {
  /** Where the program lies in the cache when it was downloaded, or built alone. */
  readonly place: string;
  /** Where it lies when it was built: a bundle's programs have one folder. */
  readonly #built: string;
  readonly #name: ToolName;
  readonly #options: FindOptions;
  readonly #env: NodeJS.ProcessEnv;
  readonly #hosts: DownloadHosts;
  readonly #platform: Platform;
  readonly #cache: string;
  readonly #say: (text: string) => void;

  constructor(name: ToolName, options: FindOptions) {
    const tool = CATALOGUE[name];
    this.#name = name;
    this.#options = options;
    this.#env = options.env ?? process.env;
    this.#hosts = options.hosts ?? OFFICIAL_HOSTS;
    this.#platform = options.platform ?? { os: process.platform, arch: process.arch };
    this.#cache = cacheFolder(this.#env);
    const place = (folder: string) =>
      join(this.#cache, "tools", `${folder}-${this.#platform.os}-${this.#platform.arch}`, this.#fileName(name));
    this.place = place(`${tool.comesWith ?? name}-${tool.version}`);
    this.#built = tool.go.bundle === undefined ? this.place : place(BUNDLES[tool.go.bundle]);
    const log = options.log ?? (() => undefined);
    this.#say = (text) => log(`${name} ${text}`);
  }

  async run(): Promise<string> {
    const found = await this.atHand();
    const { version } = CATALOGUE[this.#name];
    if (found !== undefined) {
      this.#say(found.onPath ? `${found.version}: from PATH, ${found.path}` : `${version}: from the cache`);
      return found.path;
    }
    const waiting = () => this.#say(`${version}: another process is at it, waiting`);
    return withLock(join(this.#cache, "locks", `${this.#name}.lock`), waiting, async () => {
      if ((await this.cached()) === undefined) await this.#provide();
      return (await this.cached()) ?? this.place;
    });
  }

  /** Its path in the cache; undefined where it is not there. */
  async cached(): Promise<string | undefined> {
    for (const path of [this.place, this.#built]) if (await isProgram(path)) return path;
    return undefined;
  }

  /** Where it is already, on PATH or in the cache. */
  async atHand(): Promise<ToolAtHand | undefined> {
    const onPath = await this.#onPath();
    if (onPath !== undefined) return { ...onPath, onPath: true };
    const path = await this.cached();
    return path === undefined ? undefined : { path, version: CATALOGUE[this.#name].version, onPath: false };
  }

  async #onPath(): Promise<{ path: string; version: string } | undefined> {
    const { comesWith } = CATALOGUE[this.#name];
    // A companion counts only beside a fitting program of the same release.
    const found = await this.#fitting(comesWith ?? this.#name);
    if (found === undefined) return undefined;
    const path = join(dirname(found.path), this.#fileName(this.#name));
    return (await isProgram(path)) ? { path, version: found.version } : undefined;
  }

  async #fitting(name: ToolName): Promise<{ path: string; version: string } | undefined> {
    const { fits, versionArgs = [] } = CATALOGUE[name];
    if (fits === undefined) return undefined;
    for (const folder of (this.#env.PATH ?? "").split(delimiter)) {
      const path = resolve(folder, this.#fileName(name));
      if (folder === "" || !(await isProgram(path))) continue;
      const version = await this.#versionOf(path, versionArgs);
      if (version !== undefined && versionFits(version, fits)) return { path, version: version.replace(/^v/, "") };
    }
    return undefined;
  }

  async #versionOf(path: string, args: readonly string[]): Promise<string | undefined> {
    try {
      // Pulumi would ask the network for a newer version.
      const env = { ...this.#env, PULUMI_SKIP_UPDATE_CHECK: "true" };
      const { stdout } = await promisify(execFile)(path, args, { env, timeout: VERSION_TIMEOUT });
      return /v?\d+\.\d+\.\d+[-+.\w]*/.exec(stdout)?.[0];
    } catch {
      return undefined; // A program that cannot say its version is not the one that is sought.
    }
  }

  async #provide(): Promise<void> {
    const work = join(this.#cache, "tmp");
    await mkdir(work, { recursive: true });
    await removeLeftovers(work);
    const folder = await mkdtemp(join(work, `${this.#name}-`));
    try {
      const failure = await this.#tryDownload(folder);
      if (failure !== undefined) await this.#build(folder, failure);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Returns why the download was not to be had, or undefined when the tool is in the cache. */
  async #tryDownload(folder: string): Promise<string | undefined> {
    const owner = CATALOGUE[this.#name].comesWith ?? this.#name;
    const source = CATALOGUE[owner].download?.(this.#platform, this.#hosts);
    if (source === undefined) return `no official download for ${this.#platform.os} on ${this.#platform.arch}`;
    const { version } = CATALOGUE[this.#name];
    try {
      const seconds = await this.#timed(
        () => `${version}: downloading ${source.url}`,
        async () => this.#install(await download(source, folder, this.#fileName(owner)), this.place),
      );
      this.#say(`${version}: downloaded in ${seconds} s, checksum verified`);
      return undefined;
    } catch (error) {
      if (error instanceof ChecksumError) throw error;
      return (error as Error).message;
    }
  }

  async #build(folder: string, failure: string): Promise<void> {
    const { go, version, fits } = CATALOGUE[this.#name];
    if ((await goVersion(this.#env)) === undefined) {
      const wanted =
        fits === undefined ? "not looked for" : `wanted a version from ${fits.from} and below ${fits.below}`;
      throw new Error(
        `${this.#name} was not found. Tried: PATH (${wanted}); ` +
          `the cache ${this.#cache}; the official download (${failure}); a build with Go (no \`go\` on PATH). ` +
          `Install ${this.#name} ${version}, or Go 1.26 or newer (https://go.dev/dl).`,
      );
    }
    // Of what nobody publishes a download, none was to be expected.
    if (CATALOGUE[this.#name].download !== undefined)
      this.#say(`${go.version ?? version}: no download (${failure}), building with Go`);
    // Whoever asks for a second tool of a bundle waits for the first one's build.
    await once(`${dirname(this.#built)}${sep}`, () => this.#compile(folder));
  }

  async #compile(folder: string): Promise<void> {
    const { go, version } = CATALOGUE[this.#name];
    const what = go.bundle === undefined ? (go.version ?? version) : `and the other tools of the ${go.bundle}`;
    const module = go.completed && (await this.#completed(folder));
    let compiled = 0;
    const progress = (packages: number) => {
      compiled = packages;
    };
    const make = async () => {
      // Another process may have built the bundle for a tool of its own.
      if (await isProgram(this.#built)) return;
      const programs = join(folder, "built");
      await mkdir(programs);
      const suffix = this.#fileName("");
      await goBuild(this.#name, { folder: programs, env: this.#env, suffix, progress, ...(module && { module }) });
      await this.#install(programs, this.#built);
    };
    // Downloads do not need the processors that another build may have.
    await this.#timed(
      () => `${what}: downloading its modules`,
      () => goFetch(this.#name, { env: this.#env, ...(module && { module }) }),
    );
    await this.#options.buildAfter;
    // Two builds side by side would only take each other's processors.
    const waiting = () => this.#say(`${what}: waiting for another build`);
    const seconds = await withLock(join(this.#cache, "locks", "go.lock"), waiting, () =>
      this.#timed(() => `${what}: building with Go, ${compiled} packages compiled`, make),
    );
    this.#say(`${what}: built with Go in ${seconds} s`);
  }

  /** The complete module of the flux CLI, in a folder. */
  async #completed(folder: string): Promise<string> {
    return completedFlux(folder, { env: this.#env, kustomize: await findTool("kustomize", this.#options) });
  }

  /** Moves finished programs into the cache, the one that was asked for last: once it is there, all are. */
  async #install(programs: string, place: string): Promise<void> {
    const wanted = this.#fileName(this.#name);
    const names = (await readdir(programs, { withFileTypes: true })).filter((entry) => entry.isFile());
    if (!names.some((entry) => entry.name === wanted)) throw new Error(`the download holds no ${wanted}`);
    await mkdir(dirname(place), { recursive: true });
    for (const { name } of names.sort((a, b) => Number(a.name === wanted) - Number(b.name === wanted))) {
      await chmod(join(programs, name), 0o755);
      await rename(join(programs, name), join(dirname(place), name));
    }
  }

  /** Runs an action, saying now and then that it goes on. Returns its time in seconds. */
  async #timed(state: () => string, action: () => Promise<unknown>): Promise<number> {
    const start = performance.now();
    const seconds = () => Math.round((performance.now() - start) / 1000);
    const heartbeat = setInterval(() => this.#say(`${state()}, ${seconds()} s`), HEARTBEAT);
    try {
      await action();
    } finally {
      clearInterval(heartbeat);
    }
    return seconds();
  }

  #fileName(name: ToolName | ""): string {
    return this.#platform.os === "win32" ? `${name}.exe` : name;
  }
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > LEFTOVER_AGE)
      await rm(path, { recursive: true, force: true });
  }
}
