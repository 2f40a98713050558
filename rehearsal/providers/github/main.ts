// Started by the engine as pulumi-resource-github.

import { serve } from "../../../plugin/server.ts";
import { github } from "./provider.ts";

await serve(github);
