// `npm run schema`: writes the JSON Schema of stack files anew.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { stackFileSchema } from "./jsonSchema.ts";

const path = resolve(import.meta.dirname, "../schema/settings.json");
await writeFile(path, `${JSON.stringify(stackFileSchema(), undefined, 2)}\n`);
