// Takes out of a program's error what only its author wants: Node.js shows one with its stack and all of its properties
// (https://nodejs.org/api/util.html#utilinspectobject-options), of which the messages are what it has to say.

/** A line of a stack, and what it ends with where there is more of the error: `{` before its properties. */
const FRAME =
  /^\s*(?:at (?:async )?\S.*(?::\d+|<anonymous>|\(native\))\)?|\.\.\. \d+ lines matching cause stack trace \.\.\.)(?<more> \{|,)?$/;
/** What Node.js adds to an error that ended it, and Pulumi before it. */
const AROUND =
  /^\s*(Node\.js v\d.*|\^+|node:internal\/.*|(Running program|Program) .*failed with an unhandled exception:)\s*$/;
/** How the first line begins of an error that is named in its own properties. */
const REFERENCE = /^(\s*)<ref \*\d+> /;
const CAUSE = /^\s*\[cause\]: (?<message>.*)$/;
const ERRORS = /^\s*\[errors\]: \[$/;
const OPENS = /[[{]$/;
const CLOSES = /^\s*[}\]](?<more>,)?$/;

/** A text without the stacks and properties of the errors in it: their messages stay, those of their causes too. */
export function withoutStackTraces(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => !AROUND.test(line));
  const plain = lines.map((line) => line.replace(REFERENCE, "$1"));
  return (messagesIn(plain) ?? plain.filter((line) => !FRAME.test(line))).join("\n");
}

/** The lines outside of stacks and properties; undefined where properties do not end, so that nothing is to be left out. */
function messagesIn(lines: readonly string[]): string[] | undefined {
  const kept: string[] = [];
  /** What is open: the properties of an error, or a list of errors. */
  const open: ("properties" | "errors")[] = [];
  let isMessage = true;
  for (const line of lines) {
    const frame = FRAME.exec(line);
    const end = open.length > 0 ? CLOSES.exec(line) : null;
    const cause = open.length > 0 ? CAUSE.exec(line)?.groups?.message : undefined;
    if (frame !== null) {
      if (frame.groups?.more === " {") open.push("properties");
      // Outside of properties a message may follow, of another error; inside only the next one of a list.
      isMessage = open.length === 0 || (frame.groups?.more === "," && open.at(-1) === "errors");
    } else if (end !== null) {
      open.pop();
      isMessage = open.length === 0 || (end.groups?.more === "," && open.at(-1) === "errors");
    } else if (cause !== undefined) {
      kept.push(`Caused by: ${cause.replace(REFERENCE, "$1")}`);
      isMessage = !OPENS.test(cause);
      if (!isMessage) open.push("properties");
    } else if (ERRORS.test(line) && open.length > 0) {
      open.push("errors");
      isMessage = true;
    } else if (isMessage) kept.push(open.length > 0 ? line.trimStart() : line);
    else if (OPENS.test(line)) open.push("properties");
  }
  return open.length === 0 ? kept : undefined;
}
