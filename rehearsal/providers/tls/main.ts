// Started by the engine as pulumi-resource-tls.

import { serve } from "../../../plugin/server.ts";
import { tls } from "./provider.ts";

await serve(tls);
