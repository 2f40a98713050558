import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { addressAt, contains, type Network, overlap, parseNetwork } from "../../net/cidr.ts";

function network(cidr: string): Network {
  const found = parseNetwork(cidr);
  assert.ok(found, cidr);
  return found;
}

describe("an IPv4 network", () => {
  it("is read from its one spelling", () => {
    assert.deepEqual(parseNetwork("10.1.0.0/16"), { first: 10 * 2 ** 24 + 2 ** 16, size: 65_536, prefix: 16 });
    assert.deepEqual(parseNetwork("0.0.0.0/0"), { first: 0, size: 2 ** 32, prefix: 0 });
    assert.deepEqual(parseNetwork("255.255.255.255/32"), { first: 2 ** 32 - 1, size: 1, prefix: 32 });
    const others =
      "10.0.0.1/8 10.0.0.0 10.0.0.0/ 10.0.0.0/33 10.0.0.0/08 10.0.0.0/+8 10.0.0.0/8/8 010.0.0.0/8 256.0.0.0/8 10.0.0/8 " +
      "0xa.0.0.0/8 10.0.0.0/255.0.0.0 10.0.0.0/-1 10.0.0.0/8. ::/0 ::ffff:10.0.0.0/104 localhost/8 /8";
    for (const text of ["", " 10.0.0.0/8", "10.0.0.0/8\n", "10.0.0.0 /8", ...others.split(" ")])
      assert.equal(parseNetwork(text), undefined, JSON.stringify(text));
  });

  it("overlaps, holds, and has addresses", () => {
    const [all, left, right] = [network("10.0.0.0/8"), network("10.0.0.0/9"), network("10.128.0.0/9")];
    assert.deepEqual([overlap(all, right), overlap(right, all), overlap(left, right)], [true, true, false]);
    assert.deepEqual([contains(all, right), contains(right, all), contains(left, left)], [true, false, true]);
    assert.equal(addressAt(network("10.0.255.0/24"), 10), "10.0.255.10");
    assert.equal(addressAt(network("10.0.0.0/16"), 256), "10.0.1.0");
    assert.equal(addressAt(network("192.168.0.0/16"), 65_535), "192.168.255.255");
  });
});
