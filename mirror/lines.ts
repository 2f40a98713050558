// Which lines of a text became which of another one.

/** A line of the old text beside the new one in its place; undefined where there is none. */
export interface LinePair {
  /** Where the old line begins in its text. */
  readonly start: number;
  readonly old: string | undefined;
  readonly now: string | undefined;
}

/** More pairs of lines than this are not compared one with each other. */
const MOST_COMPARISONS = 4_000_000;

/** The lines of a text beside those of another; equal ones are left out. */
export function pairLines(old: string, now: string): LinePair[] {
  const [before, after] = [old.split("\n"), now.split("\n")];
  const starts: number[] = [];
  let at = 0;
  for (const line of before) {
    starts.push(at);
    at += line.length + 1;
  }
  const pairs: LinePair[] = [];
  for (const { from, to, fromNow, toNow } of gaps(before, after)) {
    for (let index = 0; index < Math.max(to - from, toNow - fromNow); index++) {
      const line = from + index < to ? before[from + index] : undefined;
      const other = fromNow + index < toNow ? after[fromNow + index] : undefined;
      pairs.push({ start: starts[from + index] ?? old.length, old: line, now: other });
    }
  }
  return pairs;
}

interface Gap {
  readonly from: number;
  readonly to: number;
  readonly fromNow: number;
  readonly toNow: number;
}

/** The stretches of two lists between what they have in common. */
function gaps(before: readonly string[], after: readonly string[]): Gap[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let [to, toNow] = [before.length, after.length];
  while (to > head && toNow > head && before[to - 1] === after[toNow - 1]) [to, toNow] = [to - 1, toNow - 1];
  const [rows, columns] = [to - head, toNow - head];
  if (rows === 0 && columns === 0) return [];
  if (rows === columns || rows * columns > MOST_COMPARISONS || rows === 0 || columns === 0)
    return [{ from: head, to, fromNow: head, toNow }];
  return between(before, after, { from: head, to, fromNow: head, toNow });
}

/** By their longest common subsequence. */
function between(before: readonly string[], after: readonly string[], { from, to, fromNow, toNow }: Gap): Gap[] {
  const width = toNow - fromNow + 1;
  const lengths = new Uint32Array((to - from + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = to - from - 1; row >= 0; row--) {
    for (let column = toNow - fromNow - 1; column >= 0; column--) {
      lengths[row * width + column] =
        before[from + row] === after[fromNow + column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const found: Gap[] = [];
  let [row, column] = [0, 0];
  let open = { from, fromNow };
  const close = () => {
    const gap = { ...open, to: from + row, toNow: fromNow + column };
    if (gap.to > gap.from || gap.toNow > gap.fromNow) found.push(gap);
  };
  while (from + row < to && fromNow + column < toNow) {
    if (before[from + row] === after[fromNow + column]) {
      close();
      [row, column] = [row + 1, column + 1];
      open = { from: from + row, fromNow: fromNow + column };
    } else if (at(row + 1, column) >= at(row, column + 1)) row++;
    else column++;
  }
  [row, column] = [to - from, toNow - fromNow];
  close();
  return found;
}
