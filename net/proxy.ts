// The proxy of the environment. Node's own clients look at it only when they are told to; this is where they are told.
import http from "node:http";

/** Never behind a proxy, as with the clients that are written in Go. */
const loopback = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Sends every connection of this process from now on, fetch's too, through the proxy of the environment: HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY, or the same in lower case, which win. Without them nothing changes. Each program calls it
 * first.
 * @throws Error where a variable holds no address of a proxy, or this Node cannot be told of it.
 */
export function useProxy(env: NodeJS.ProcessEnv = process.env): void {
  const [https, plain] = [address(env, "https_proxy"), address(env, "http_proxy")];
  if (https === undefined && plain === undefined) return;
  if (http.setGlobalProxyFromEnv === undefined)
    throw new Error(`Behind a proxy Node.js 24.14 or newer is needed, but this is ${process.versions.node}.`);
  const direct = [env.no_proxy || env.NO_PROXY || "", ...loopback].filter((entry) => entry !== "");
  http.setGlobalProxyFromEnv({
    ...(https !== undefined && { https_proxy: https }),
    ...(plain !== undefined && { http_proxy: plain }),
    no_proxy: direct.join(),
  });
}

/** Whether a URL's host is reached through a proxy, as far as it does not stand in NO_PROXY. */
export function isProxied(url: URL, env: NodeJS.ProcessEnv = process.env): boolean {
  // Without a proxy for https, Node takes the other one.
  const names = url.protocol === "https:" ? ["https_proxy", "http_proxy"] : ["http_proxy"];
  return names.some((name) => value(env, name) !== undefined);
}

/** What a variable holds, and its name as it is written there. */
function value(env: NodeJS.ProcessEnv, name: string): { name: string; text: string } | undefined {
  for (const written of [name, name.toUpperCase()]) {
    const text = env[written];
    if (text) return { name: written, text };
  }
  return undefined;
}

/** The URL of a variable's proxy; without a scheme it is http, as for curl and Go. */
function address(env: NodeJS.ProcessEnv, variable: string): string | undefined {
  const found = value(env, variable);
  if (found === undefined) return undefined;
  const url = found.text.includes("://") ? found.text : `http://${found.text}`;
  // The text itself may hold a password.
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    throw new Error(`The variable ${found.name} holds no address of a proxy: it must be http://HOST:PORT.`);
  return url;
}
