import { lacking } from "../../ci/checks.ts";
import { check, stops, warns } from "../check.ts";

export const environment = check({
  name: "environment",
  about: "the variables that sign in to Azure, Git and Pulumi's backend, as `npm run ci` looks at them",
  find: async ({ place: { environment, project, stack, isPipeline, reach } }) => {
    const needs = { environment, project, stack, isPipeline, isUpdate: true, hasProgram: reach.hasProgram };
    // What is wrong with the file itself, the settings' check says.
    const { faults, warnings } = await lacking(needs);
    return [...faults.map(stops), ...warnings.map(warns)];
  },
});
