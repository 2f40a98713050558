import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { harmless, Log } from "../../../delivery/ci/log.ts";

describe("a line of the log", () => {
  it("is no command of GitHub's, wherever and however it is written", () => {
    const lines = [
      "::set-output name=a::b",
      "  ::add-mask::x",
      "a\r::error::b",
      "\u200b::error::x",
      ":\u00ad:error::x",
      "\u001b[31m::error::x",
      "\u0000::error::x",
      "\ufe0f::error::x",
      "text ##[add-path]/tmp",
      "#\u2060#[add-path]/tmp",
    ];
    assert.deepEqual(lines.map(harmless), [
      "\\::set-output name=a::b",
      "  \\::add-mask::x",
      "a\n\\::error::b",
      "\\::error::x",
      "\\::error::x",
      "\\::error::x",
      "\\::error::x",
      "\\::error::x",
      "text #\\#[add-path]/tmp",
      "#\\#[add-path]/tmp",
    ]);
  });

  it("is no command of Azure Pipelines' either", () => {
    assert.equal(harmless("x ##vso[task.setvariable variable=a]b"), "x #\\#vso[task.setvariable variable=a]b");
    assert.equal(harmless("##VSO[task.complete]\n##[group]x"), "#\\#VSO[task.complete]\n#\\#[group]x");
  });

  it("stays as it is otherwise", () => {
    const text = "urn:pulumi:prod::aks-gitops::gitops:index:GitCommit::commit\n\tindented ## heading [link] 🙂 ⚠️";
    assert.equal(harmless(text), text);
  });
});

describe("a secret of the environment", () => {
  const key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nQUFBQUFBQUFBQUFBQUFBQUE\n-----END KEY-----";
  const environment = {
    GITHUB_TOKEN: "ghs_0123456789",
    ARM_CLIENT_SECRET: "hush hush/",
    servicePrincipalKey: key,
    AZURE_FEDERATED_TOKEN_FILE: "/tmp/sign-in/token",
    ACTIONS_ID_TOKEN_REQUEST_URL: "https://tokens.example/x",
    ARM_CLIENT_ID: "6f1f2b6e-1111-4e0a-9c60-000000000001",
    PULUMI_CONFIG_PASSPHRASE: "short",
    PULUMI_ACCESS_TOKEN: undefined,
  };

  it("is hidden in text and commands, also encoded, and in parts where it has lines", () => {
    const written: string[] = [];
    const log = new Log(environment, (text) => written.push(text));
    log.say(`a ghs_0123456789 b ${encodeURIComponent("hush hush/")} c ${Buffer.from("hush hush/").toString("base64")}`);
    log.command("::error::ghs_0123456789");
    log.say("QUFBQUFBQUFBQUFBQUFBQUE and MIIEvQIBADANBgkqhkiG9w0");
    log.learn("learned later");
    log.say("it was learned later");
    assert.deepEqual(written, [
      "a [hidden] b [hidden] c [hidden]\n",
      "::error::[hidden]\n",
      "[hidden] and [hidden]\n",
      "it was [hidden]\n",
    ]);
  });

  it("is nothing that only says where one is, nor a name, nor a short word", () => {
    const text = "/tmp/sign-in/token https://tokens.example/x 6f1f2b6e-1111-4e0a-9c60-000000000001 short";
    assert.equal(new Log(environment, () => {}).shown(text), text);
  });
});
