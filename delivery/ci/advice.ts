// What to do after an update that did not end well.

/** What the engine says where another update holds the stack: its own backends', and Pulumi Cloud's. */
const HELD = /currently locked by \d+ lock|Another update is currently in progress/i;
/** What it says of things that an update which was killed was making. */
const CUT_OFF = /pending operations|cannot create already existing resource/i;

/** The next step of a person. @param output what the engine said. */
export function advice(stack: string, output: string): string {
  const recover = `\`pulumi cancel --stack ${stack}\`, then \`npm run recover -- --stack ${stack}\`, then run this again`;
  if (HELD.test(output))
    return `Another update holds the stack: wait until it has ended, and run this again. If it was killed: ${recover}.`;
  if (CUT_OFF.test(output)) return `An earlier update was killed and left work behind. ${recover}.`;
  return (
    "Nothing is rolled back: what was made stays, and the next `up` goes on from there. Mend the cause and run this " +
    `again. If the run was killed: ${recover}.`
  );
}
