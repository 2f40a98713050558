// Pushes that a host refuses by a rule of its own, answered in Git's protocol as hosts do, in words that no hook can give:
// https://git-scm.com/docs/pack-protocol#_report_status

import type { CloudRequest, CloudResponse } from "../types.ts";

/** Why a branch takes no push. */
export interface Refusal {
  /** What stands in brackets behind the branch. */
  readonly reason: string;
  /** Lines that git prints after `remote: `. */
  readonly lines: readonly string[];
}

/** A change of a ref that a push asks for. */
interface Command {
  readonly ref: string;
  readonly old: string;
}

/**
 * The answer to a push that changes a branch which takes none; undefined where git itself is to answer.
 * @param refusal what is said of a branch; undefined where it takes pushes. A branch that is not there yet takes all.
 */
export function refusePush(
  request: CloudRequest,
  refusal: (branch: string) => Refusal | undefined,
): CloudResponse | undefined {
  if (request.method !== "POST" || !request.url.pathname.endsWith("/git-receive-pack")) return undefined;
  const commands = readCommands(request.body);
  const found = commands
    .filter(({ ref, old }) => ref.startsWith("refs/heads/") && !/^0+$/.test(old))
    .flatMap(({ ref }) => refusal(ref.slice("refs/heads/".length)) ?? []);
  const [first] = found;
  if (first === undefined) return undefined;
  const lines = found.flatMap(({ lines }) => lines);
  const report = [
    packet("unpack ok\n"),
    ...commands.map(({ ref }) => packet(`ng ${ref} ${first.reason}\n`)),
    Buffer.from("0000"),
  ];
  const body = [
    ...lines.map((line) => packet(`\x02${line}\n`)),
    packet(Buffer.concat([Buffer.from("\x01"), ...report])),
    Buffer.from("0000"),
  ];
  return {
    status: 200,
    headers: { "content-type": "application/x-git-receive-pack-result", "cache-control": "no-cache" },
    body: Buffer.concat(body),
  };
}

/** The commands before the pack. */
function readCommands(body: Buffer): Command[] {
  const commands: Command[] = [];
  for (let at = 0; at + 4 <= body.length; ) {
    const size = Number.parseInt(body.subarray(at, at + 4).toString("latin1"), 16);
    if (!(size > 4)) break;
    const [line = ""] = body
      .subarray(at + 4, at + size)
      .toString()
      .trimEnd()
      .split("\0");
    const [old = "", , ref = ""] = line.split(" ");
    commands.push({ old, ref });
    at += size;
  }
  return commands;
}

function packet(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}
