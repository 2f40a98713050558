// What a reader wants to see of an update as it goes on; its whole output is in up.log.

/** Only says that something was begun. */
const BEGUN = / (creating|updating|deleting|reading) \(\d+s\)\s*$/;
/** Took less than a second. */
const QUICK = /^ *[-+~]+ .* (created|updated|deleted|replaced|read) \(0\.\d+s\)/;
/** Is done, but still shows what it waited for last. */
const STALE = /( (?:created|updated|deleted|replaced) \([\d.ms]+\)) waiting for .*$/;
/** In the diagnostics, what was shown when it came. */
const WAITING = /^ {4}waiting for /;
/** Of the diagnostics, or of a resource's part of them. */
const HEADING = /^(Diagnostics:| {2}\S.*\):)$/;

/**
 * Takes an update's lines and passes on those that tell something new.
 * @param print gets them, without blanks at their end.
 */
export function upLines(print: (line: string) => void): (line: string) => void {
  let headings: string[] = [];
  return (text) => {
    const line = text.replace(STALE, "$1").trimEnd();
    if (line === "" || BEGUN.test(line) || QUICK.test(line) || WAITING.test(line)) return;
    if (HEADING.test(line)) {
      // What has nothing below it needs no heading.
      headings = [...headings.filter((one) => !one.startsWith(" ") && line.startsWith(" ")), line];
      return;
    }
    // What is not indented follows the diagnostics.
    if (line.startsWith(" ")) for (const one of headings) print(one);
    headings = [];
    print(line);
  };
}
