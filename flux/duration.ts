/** A duration in the forms that Flux reads, of milliseconds at least. */
export const DURATION = /^(\d+(\.\d+)?(ms|s|m|h))+$/;

const MILLISECONDS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/**
 * A duration as Go writes it back, and so the flux CLI: `90s` as `1m30s`, `5m` as `5m0s`
 * (https://pkg.go.dev/time#Duration.String).
 * @param text in the forms that Flux reads, of milliseconds at least.
 */
export function goDuration(text: string): string {
  let left = 0;
  for (const [, count = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    left += Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  left = Math.round(left);
  if (left > 0 && left < 1000) return `${left}ms`;
  const seconds = `${(left % 60_000) / 1000}s`;
  const minutes = Math.floor(left / 60_000);
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}
