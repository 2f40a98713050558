import { strict as assert } from "node:assert";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, it } from "mocha";
import { publicKeyOf } from "../../net/sshKey.ts";

/** Made by `ssh-keygen -t ed25519`, for nobody. */
const OPENSSH = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDcJWkffSdUAHHx8LXLvUdws4Km3R+ii1PuiSpVb61zjQAAAIigzWaMoM1m
jAAAAAtzc2gtZWQyNTUxOQAAACDcJWkffSdUAHHx8LXLvUdws4Km3R+ii1PuiSpVb61zjQ
AAAEB1BVIDbb+UFWvZMWdz6iOWbDVLEc7qXfhzmEiE3/ksCdwlaR99J1QAcfHwtcu9R3Cz
gqbdH6KLU+6JKlVvrXONAAAAAAECAwQF
-----END OPENSSH PRIVATE KEY-----
`;
const OPENSSH_PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINwlaR99J1QAcfHwtcu9R3CzgqbdH6KLU+6JKlVvrXON";
const LOCKED = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABANp77Zuz
F9uDuHLdNwQpm9AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAICZ/q1gZFQpQJ5Vf
HkGPAaCrSqqZKIuyNBCU5wXR8rLHAAAAkCuF+X3tIsq1+JCUGKK/rHqGVg7aGn1xjhpVRT
XOcBUNmxex5Z5/gE0V4o6c1Udm5bQtWP4FS0j1Gn991dBsvclCI4Tyq8EpiHT8xTH3zRHU
1NAqPTqc3YEIQc4dFF/tuaJMmKcC9K2W4OxDTXr0itcplU96Q1XkappWhUlJ6cwtABybCm
y59UmGA5qq/n3p3Q==
-----END OPENSSH PRIVATE KEY-----
`;

const pem = ({ privateKey }: { privateKey: KeyObject }, type: "pkcs1" | "pkcs8" | "sec1") =>
  privateKey.export({ type, format: "pem" } as { type: "pkcs8"; format: "pem" }) as string;

describe("a private SSH key", () => {
  it("in OpenSSH's own form tells its public half", () => {
    assert.deepEqual(publicKeyOf(OPENSSH), { type: "ssh-ed25519", line: OPENSSH_PUBLIC });
    assert.deepEqual(publicKeyOf(OPENSSH.trim().replaceAll("\n", "\r\n")).line, OPENSSH_PUBLIC);
  });

  it("in PEM tells its public half", () => {
    const lineOf = (key: string) => publicKeyOf(key).line;
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    assert.match(lineOf(pem(rsa, "pkcs1")), /^ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ/);
    const ec = generateKeyPairSync("ec", { namedCurve: "P-384" });
    assert.match(lineOf(pem(ec, "sec1")), /^ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQ/);
    assert.match(lineOf(pem(generateKeyPairSync("ed25519"), "pkcs8")), /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI/);
  });

  const wrong: [string, string, RegExp][] = [
    ["with a passphrase", LOCKED, /^has a passphrase/],
    ["that is a public one", OPENSSH_PUBLIC, /^is no private key in PEM$/],
    ["cut off", OPENSSH.replace(/\n.{20}/, "\n"), /^is no (whole )?key of OpenSSH$/],
    [
      "of nonsense",
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
      /^is no private key that can be read$/,
    ],
  ];
  for (const [what, key, message] of wrong)
    it(`${what} is refused, and nothing of it shown`, () => {
      assert.throws(
        () => publicKeyOf(key),
        (error: Error) => message.test(error.message),
      );
    });
});
