import { SettingsError } from "../../../settings/errors.ts";
import { examineSettings } from "../../../settings/parse.ts";
import { readStackFile } from "../../../settings/stackFile.ts";
import { check, stops, warns } from "../check.ts";

export const settings = check({
  name: "settings",
  about: "the stack's file: every fault that the program would refuse, and every warning",
  find: async ({ place: { project, stack }, attempts }) => {
    const tried = await attempts.settings();
    if ("value" in tried) {
      const { warnings } = examineSettings(await readStackFile(project, stack));
      return warnings.map(warns);
    }
    const { error } = tried;
    if (error instanceof SettingsError) return error.faults.map(stops);
    // Of a file that is missing or no YAML: its own words say what to do.
    const [problem = "", ...remedies] = (error as Error).message.split(/(?<=\.) /);
    const remedy = remedies.join(" ").replace(/\.$/, "") || "correct it";
    return [stops({ key: `Pulumi.${stack}.yaml`, problem: `cannot be read: ${problem.replace(/\.$/, "")}`, remedy })];
  },
});
