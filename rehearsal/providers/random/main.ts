// Started by the engine as pulumi-resource-random.

import { serve } from "../../../plugin/server.ts";
import { random } from "./provider.ts";

await serve(random);
