import { gzipSync } from "node:zlib";

/** The tgz of a chart that is nothing but its Chart.yaml. */
export function chart(name: string, version: string, description = ""): Buffer {
  const described = description === "" ? "" : `description: ${description}\n`;
  const text = Buffer.from(`apiVersion: v2\nname: ${name}\nversion: ${version}\n${described}`);
  const header = Buffer.alloc(512);
  header.write(`${name}/Chart.yaml`, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0".repeat(2), 108);
  header.write(`${text.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0        0", 136);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((512 - (text.length % 512)) % 512);
  return gzipSync(Buffer.concat([header, text, padding, Buffer.alloc(1024)]));
}
