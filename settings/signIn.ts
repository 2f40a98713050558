import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type SignInFault, signInFaults } from "../net/signIn.ts";
import { describeFaults, describeWarning } from "./errors.ts";

/**
 * Looks at how the environment signs in to Azure, before anything is registered; what may not do what was meant is logged
 * as a warning.
 * @throws pulumi.RunError naming every fault, so that the engine shows them without a stack trace.
 */
export function checkSignIn(environment: NodeJS.ProcessEnv = process.env): void {
  const faults = signInFaults(environment, (name) => isOnPath(name, environment.PATH ?? environment.Path ?? ""));
  const shown = (severity: SignInFault["severity"]) =>
    faults.filter((fault) => fault.severity === severity).map((fault) => ({ ...fault, value: undefined }));
  for (const warning of shown("warning")) pulumi.log.warn(describeWarning(warning));
  const errors = shown("error");
  if (errors.length > 0) throw new pulumi.RunError(describeFaults("the sign-in to Azure (docs/sign-in.md)", errors));
}

/** Windows starts az by a script. */
const SUFFIXES = process.platform === "win32" ? [".cmd", ".exe", ".bat"] : [""];

function isOnPath(name: string, path: string): boolean {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return folders.some((folder) => SUFFIXES.some((suffix) => isProgram(join(folder, name + suffix))));
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
