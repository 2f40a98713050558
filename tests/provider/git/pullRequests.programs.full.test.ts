// GitCommit behind rules that want pull requests: what depends on Azure DevOps, and all that does not depend on the host.
import { showPullRequests } from "./pullRequests.ts";

showPullRequests("a ruleset of GitHub's", "rest");
showPullRequests("a policy of Azure DevOps'", "host");
