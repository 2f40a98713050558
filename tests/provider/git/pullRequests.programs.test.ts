// GitCommit behind rules that want pull requests: that it knows each host's words, and what it does on GitHub.
import { showPullRequests } from "./pullRequests.ts";

showPullRequests("a ruleset of GitHub's", "words", "host");
showPullRequests("GitHub's branch protection", "words");
showPullRequests("a policy of Azure DevOps'", "words");
