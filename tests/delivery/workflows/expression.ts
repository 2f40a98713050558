// The expressions of GitHub Actions and of Azure Pipelines, which are one language with other functions:
// https://docs.github.com/actions/reference/workflows-and-actions/expressions
// https://learn.microsoft.com/azure/devops/pipelines/process/expressions

/** A value of an expression; objects and lists are those of JSON. */
export type Value = unknown;

export interface Scope {
  /** The contexts by name: a name that is none is an error, a property that is none is null. */
  readonly contexts: Readonly<Record<string, Value>>;
  readonly functions: Readonly<Record<string, (...args: Value[]) => Value>>;
}

type Evaluate = (scope: Scope) => Value;

const TOKEN =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<number>[-+]?(?:0x[0-9a-f]+|\d+(?:\.\d+)?))|(?<name>[A-Za-z_][\w-]*)|(?<sign>&&|\|\||[=!<>]=|[<>!()[\].,*]))/iy;

/** One expression, without its braces. */
class Parser {
  readonly #source: string;
  readonly #tokens: { readonly kind: string; readonly text: string }[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    TOKEN.lastIndex = 0;
    const end = source.trimEnd().length;
    for (let at = 0; at < end; at = TOKEN.lastIndex) {
      const groups = TOKEN.exec(source)?.groups;
      const [kind, text] = Object.entries(groups ?? {}).find(([, found]) => found !== undefined) ?? [];
      if (kind === undefined || text === undefined)
        throw this.#error(`nothing is understood from character ${at + 1} on`);
      this.#tokens.push({ kind, text });
    }
  }

  whole(): Evaluate {
    const result = this.#or();
    if (this.#at < this.#tokens.length) throw this.#error(`"${this.#tokens[this.#at]?.text}" stands where nothing may`);
    return result;
  }

  #error(problem: string): Error {
    return new Error(`The expression ${this.#source.trim()} is wrong: ${problem}.`);
  }

  #takes(...signs: string[]): string | undefined {
    const { kind, text } = this.#tokens[this.#at] ?? {};
    if (kind !== "sign" || text === undefined || !signs.includes(text)) return undefined;
    this.#at++;
    return text;
  }

  #expect(sign: string): void {
    if (this.#takes(sign) === undefined) throw this.#error(`"${sign}" is missing`);
  }

  #or(): Evaluate {
    let left = this.#and();
    while (this.#takes("||")) {
      const [one, other] = [left, this.#and()];
      left = (scope) => {
        const value = one(scope);
        return isTrue(value) ? value : other(scope);
      };
    }
    return left;
  }

  #and(): Evaluate {
    let left = this.#comparison();
    while (this.#takes("&&")) {
      const [one, other] = [left, this.#comparison()];
      left = (scope) => {
        const value = one(scope);
        return isTrue(value) ? other(scope) : value;
      };
    }
    return left;
  }

  #comparison(): Evaluate {
    let left = this.#not();
    for (let sign = this.#takes("==", "!=", "<", "<=", ">", ">="); sign; sign = this.#takes("==", "!=")) {
      const [one, other, operator] = [left, this.#not(), sign];
      left = (scope) => compare(operator, one(scope), other(scope));
    }
    return left;
  }

  #not(): Evaluate {
    if (!this.#takes("!")) return this.#access();
    const value = this.#not();
    return (scope) => !isTrue(value(scope));
  }

  #access(): Evaluate {
    let value = this.#primary();
    for (;;) {
      const of = value;
      if (this.#takes("[")) {
        const index = this.#or();
        this.#expect("]");
        value = (scope) => property(of(scope), index(scope));
      } else if (this.#takes(".")) {
        if (this.#takes("*")) {
          value = (scope) => new Filtered(children(of(scope)));
          continue;
        }
        const { kind, text } = this.#tokens[this.#at++] ?? {};
        if (kind !== "name") throw this.#error("a property's name is missing after a dot");
        value = (scope) => property(of(scope), text);
      } else return value;
    }
  }

  #primary(): Evaluate {
    const { kind, text = "" } = this.#tokens[this.#at++] ?? {};
    if (kind === "text") return () => text.slice(1, -1).replaceAll("''", "'");
    if (kind === "number") return () => Number(text);
    if (kind === "sign" && text === "(") {
      const value = this.#or();
      this.#expect(")");
      return value;
    }
    if (kind !== "name")
      throw this.#error(text === "" ? "it ends too soon" : `"${text}" stands where a value is expected`);
    if (/^(true|false|null)$/.test(text)) return () => JSON.parse(text);
    return this.#takes("(") ? this.#call(text) : (scope) => lookUp(scope.contexts, text, `a context ${text}`);
  }

  #call(name: string): Evaluate {
    const args: Evaluate[] = [];
    while (!this.#takes(")")) {
      if (args.length > 0) this.#expect(",");
      args.push(this.#or());
    }
    return (scope) => lookUp(scope.functions, name, `a function ${name}()`)(...args.map((each) => each(scope)));
  }
}

/** What `.*` gives: a property of it is that of each element that has it. */
class Filtered extends Array<Value> {
  constructor(elements: readonly Value[]) {
    super();
    this.push(...elements);
  }
  static override get [Symbol.species]() {
    return Array;
  }
}

function lookUp<T>(names: Readonly<Record<string, T>>, name: string, what: string): T {
  const key = Object.keys(names).find((each) => each.toLowerCase() === name.toLowerCase());
  if (key === undefined)
    throw new Error(`There is no ${what.replace(/^a /, "")} here; there are ${Object.keys(names).join(", ")}.`);
  return names[key] as T;
}

function property(of: Value, name: Value): Value {
  if (of instanceof Filtered) return of.map((each) => property(each, name)).filter((each) => each !== null);
  if (Array.isArray(of)) return typeof name === "number" ? (of[name] ?? null) : null;
  if (typeof of !== "object" || of === null) return null;
  const key = Object.keys(of).find((each) => each.toLowerCase() === String(name).toLowerCase());
  return key === undefined ? null : ((of as Record<string, Value>)[key] ?? null);
}

const children = (of: Value): Value[] => (typeof of === "object" && of !== null ? Object.values(of) : []);

/** Whether a value counts as true. */
export function isTrue(value: Value): boolean {
  return !(
    value === null ||
    value === undefined ||
    value === false ||
    value === 0 ||
    value === "" ||
    Number.isNaN(value)
  );
}

function numberOf(value: Value): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === "object") return Number.NaN;
  return Number(value);
}

/** Whether two values are equal: texts whatever their case, values of several types as numbers. */
export function isEqual(one: Value, other: Value): boolean {
  if (typeof one === "string" && typeof other === "string") return one.toLowerCase() === other.toLowerCase();
  if (typeof one === "object" && typeof other === "object" && one !== null && other !== null) return one === other;
  return (one ?? null) === (other ?? null) || numberOf(one) === numberOf(other);
}

function compare(sign: string, one: Value, other: Value): boolean {
  if (sign === "==") return isEqual(one, other);
  if (sign === "!=") return !isEqual(one, other);
  const [left, right] = [numberOf(one), numberOf(other)];
  if (sign === "<") return left < right;
  if (sign === "<=") return left <= right;
  return sign === ">" ? left > right : left >= right;
}

/** A value as text: an object cannot be one. */
export function textOf(value: Value): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") throw new Error(`${JSON.stringify(value)} stands where a text is expected.`);
  return String(value);
}

/** Functions that both have, by one meaning. */
export const COMMON: Scope["functions"] = {
  contains: (of, item) =>
    Array.isArray(of)
      ? of.some((each) => isEqual(each, item))
      : textOf(of).toLowerCase().includes(textOf(item).toLowerCase()),
  startsWith: (of, start) => textOf(of).toLowerCase().startsWith(textOf(start).toLowerCase()),
  endsWith: (of, end) => textOf(of).toLowerCase().endsWith(textOf(end).toLowerCase()),
  format: (form, ...args) => textOf(form).replace(/\{(\d+)\}/g, (_, index) => textOf(args[Number(index)])),
  join: (list, separator) => (Array.isArray(list) ? list : [list]).map(textOf).join(textOf(separator ?? ",")),
};

/** The value of an expression without its braces. @throws Error for what it does not understand. */
export function evaluate(source: string, scope: Scope): Value {
  return new Parser(source).whole()(scope);
}

/** Whether an expression calls one of some functions. */
export const calls = (source: string, names: readonly string[]) =>
  new RegExp(`\\b(${names.join("|")})\\s*\\(`, "i").test(source.replaceAll(/'(?:[^']|'')*'/g, "''"));

const BRACES = /\$\{\{(.*?)\}\}/gs;

/** A value of a file with what its `${{ }}` stand for: the value itself where there is nothing else, text otherwise. */
export function resolve(value: Value, scope: Scope): Value {
  if (Array.isArray(value)) return value.map((each) => resolve(each, scope));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each, scope)]));
  if (typeof value !== "string") return value;
  const whole = /^\$\{\{((?:(?!\}\}).)*)\}\}$/s.exec(value.trim())?.[1];
  if (whole !== undefined) return evaluate(whole, scope);
  return value.replaceAll(BRACES, (_, source: string) => textOf(evaluate(source, scope)));
}
