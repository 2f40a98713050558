// Mocha's own report, closed by one line that a machine can read.
import Mocha from "mocha";

export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures } = this.stats;
      // After Spec's own summary, which listens to the same event and counts the skipped.
      process.once("exit", () => process.stdout.write(`${passes} passed, ${failures} failed\n`));
    });
  }
}
