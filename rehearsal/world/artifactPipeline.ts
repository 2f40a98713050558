// The pipeline of a stack whose cluster reads an artifact in place of the repository: the real flux CLI pushes whatever
// the branch comes to.
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ARTIFACT } from "../../components/defaults.ts";
import { ownPath } from "../../net/registry/ownRegistry.ts";
import { pause } from "../../net/retry.ts";
import { pushCommand } from "../../provider/flux/artifact.ts";
import type { Settings } from "../../settings/settings.ts";
import { findTool } from "../../tools/findTool.ts";
import { signIn } from "../cli/gitSettings.ts";
import { must, run } from "../run.ts";
import { type CloudFile, environment, type Paths } from "../session.ts";

/** Between two looks at the branch, in milliseconds. */
const INTERVAL = 1_000;
/** How long whoever asks Flux to look waits for a push that is under way, in milliseconds. */
const PATIENCE = 30_000;

/** What a rehearsal's pipeline has to know of a stack. */
type Pushing = Pick<Settings, "flux">;

/** Why the artifact of a stack cannot be pushed in a rehearsal; undefined where it can, and where there is none. */
export function artifactFault({ flux: { artifact } }: Pushing): string | undefined {
  const { url, semver, verify } = artifact ?? {};
  const fault = (key: string, value: string | undefined, problem: string, remedy: string) =>
    `aks-gitops:flux.artifact.${key}: "${value}" ${problem}. For a rehearsal ${remedy}`;
  if (artifact === undefined) return undefined;
  if (ownPath(url) === undefined)
    return fault("url", url, "is a host that a rehearsal does not have", "name oci://{registry}/<repository>");
  if (semver !== undefined)
    return fault("semver", semver, "asks for versions, and a rehearsal's pipeline pushes a tag", "write a tag");
  if (verify !== undefined)
    return fault(
      "verify",
      verify,
      "asks for signatures, and a rehearsal's pipeline has no key to sign with",
      "leave it out",
    );
  return undefined;
}

export class ArtifactPipeline {
  readonly #flux: Settings["flux"];
  readonly #paths: Paths;
  readonly #cloud: Omit<CloudFile, "pid" | "control">;
  readonly #loginServer: () => string | undefined;
  #pushed = "";
  #said = "";
  #isClosed = false;
  #ended: Promise<void> = Promise.resolve();

  /** @param loginServer of the stack's registry, where it has one by now. */
  constructor(
    { flux }: Pushing,
    paths: Paths,
    cloud: Omit<CloudFile, "pid" | "control">,
    loginServer: () => string | undefined,
  ) {
    this.#flux = flux;
    this.#paths = paths;
    this.#cloud = cloud;
    this.#loginServer = loginServer;
  }

  /** Pushes what the branch comes to, from now on. */
  start(): void {
    this.#ended = this.#follow();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#ended;
  }

  /** Comes when the branch's head has been pushed, or when that takes too long. */
  async caughtUp(): Promise<void> {
    for (const start = Date.now(); Date.now() - start < PATIENCE; await pause(INTERVAL))
      if ((await this.#head()) === this.#pushed) return;
  }

  async #follow(): Promise<void> {
    for (; !this.#isClosed; await pause(INTERVAL)) {
      try {
        const loginServer = this.#loginServer();
        const head = loginServer === undefined ? "" : await this.#head();
        if (loginServer === undefined || head === "" || head === this.#pushed) continue;
        await this.#push(loginServer, head);
        this.#pushed = head;
      } catch (error) {
        // Rights take effect some time after they are given; the next look tries it again.
        const { message } = error as Error;
        if (message !== this.#said) process.stderr.write(`the artifact's pipeline: ${message}\n`);
        this.#said = message;
      }
    }
  }

  /** The branch's head; empty where there is none. */
  async #head(): Promise<string> {
    const { repository, branch } = this.#flux;
    const options = { cwd: this.#paths.dir, env: this.#environment() };
    const { stdout } = await run("git", ["ls-remote", repository, `refs/heads/${branch}`], options);
    return /^[0-9a-f]+/.exec(stdout)?.[0] ?? "";
  }

  async #push(loginServer: string, commit: string): Promise<void> {
    const { artifact, repository, branch } = this.#flux;
    const folder = join(this.#paths.dir, "artifact");
    const tool = await findTool("flux");
    const env = this.#environment(dirname(tool));
    await rm(folder, { recursive: true, force: true });
    const git = (cwd: string, ...args: string[]) => must("git", args, { cwd, env });
    await git(this.#paths.dir, "clone", "--quiet", "--branch", branch, repository, folder);
    await git(folder, "checkout", "--quiet", commit);
    const url = `oci://${loginServer}/${ownPath(artifact?.url)}`;
    const pushed = { url, tag: artifact?.tag ?? ARTIFACT.tag, source: repository, branch };
    const [, ...args] = pushCommand(pushed, commit).split(" ");
    await must(tool, [...args, "--provider=azure"], { cwd: folder, env });
  }

  #environment(...path: string[]): Record<string, string> {
    return { ...environment({ paths: this.#paths, cloud: this.#cloud, path }), ...signIn, LC_ALL: "C" };
  }
}
