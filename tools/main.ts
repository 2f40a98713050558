// Prints the path of a tool, and finds, downloads or builds it first: `npm run tools -- helm`.
import { useProxy } from "../net/proxy.ts";
import { CATALOGUE, type ToolName } from "./catalogue.ts";
import { findTool } from "./findTool.ts";

const names = Object.keys(CATALOGUE);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (wanted.length === 0 || unknown.length > 0) {
  const problem = wanted.length === 0 ? "Name a tool" : `Unknown: ${unknown.join(", ")}`;
  console.error(`${problem}. Tools: ${names.join(", ")}. Usage: npm run --silent tools -- <tool>...`);
  process.exitCode = 2;
} else {
  try {
    useProxy();
    for (const name of wanted) console.log(await findTool(name as ToolName, { log: (line) => console.error(line) }));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
