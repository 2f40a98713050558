// Properties on the wire: protobuf's Struct to plain values and back, with the marks that Pulumi puts into it.
// The marks are those of the engine's own encoder (sdk/go/common/resource/plugin/rpc.go).

import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { type Properties, Secret, UNKNOWN } from "./handler.ts";

type Struct = structPb.Struct;
type Value = structPb.Value;

const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** The engine has one mark for each type that a value will have; to a provider they all mean the same. */
const UNKNOWNS: ReadonlySet<string> = new Set([
  UNKNOWN_STRING,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

/** A file, text or URL given as one value. The engine leaves out the content of old ones and keeps the hash. */
export abstract class Asset {
  /** SHA-256 of the content in hex, as the engine computed it. */
  readonly hash: string | undefined;
  constructor(hash?: string) {
    this.hash = hash;
  }
}

/** A file's content; the path is as the engine sees it, absolute or relative to its working directory. */
export class FileAsset extends Asset {
  readonly path: string;
  constructor(path: string, hash?: string) {
    super(hash);
    this.path = path;
  }
}

/** A text's content. */
export class StringAsset extends Asset {
  readonly text: string;
  constructor(text: string, hash?: string) {
    super(hash);
    this.text = text;
  }
}

/** The content behind a URL. */
export class RemoteAsset extends Asset {
  readonly uri: string;
  constructor(uri: string, hash?: string) {
    super(hash);
    this.uri = uri;
  }
}

/** An old asset whose content the engine left out. */
export class ElidedAsset extends Asset {}

/** Several files as one value; at most one of path, uri and assets is given. */
export class Archive extends Asset {
  readonly source: { readonly path?: string; readonly uri?: string; readonly assets?: Properties };
  constructor(source: Archive["source"], hash?: string) {
    super(hash);
    this.source = source;
  }
}

/** Plain values of a Struct; `undefined` (an unset message field) gives no properties. */
export function fromStruct(struct: Struct | undefined): Properties {
  const entries: [string, unknown][] = [];
  struct?.getFieldsMap().forEach((value, key) => {
    entries.push([key, fromValue(value)]);
  });
  return Object.fromEntries(entries);
}

/**
 * The Struct of plain values. Properties that are `undefined` are left out.
 * @throws Error for values that have no place in a property map (functions, big integers, numbers that are not finite).
 */
export function toStruct(properties: Properties): Struct {
  const struct = new structPb.Struct();
  const fields = struct.getFieldsMap();
  for (const [key, value] of Object.entries(properties)) {
    if (value !== undefined) fields.set(key, toValue(value, key));
  }
  return struct;
}

/** Whether a value is unknown or holds something unknown. */
export function hasUnknown(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (value instanceof Secret) return hasUnknown(value.value);
  if (Array.isArray(value)) return value.some(hasUnknown);
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

function fromValue(value: Value | undefined): unknown {
  switch (value?.getKindCase()) {
    case structPb.Value.KindCase.NUMBER_VALUE:
      return value.getNumberValue();
    case structPb.Value.KindCase.BOOL_VALUE:
      return value.getBoolValue();
    case structPb.Value.KindCase.STRING_VALUE: {
      const text = value.getStringValue();
      return UNKNOWNS.has(text) ? UNKNOWN : text;
    }
    case structPb.Value.KindCase.LIST_VALUE:
      return (value.getListValue()?.getValuesList() ?? []).map(fromValue);
    case structPb.Value.KindCase.STRUCT_VALUE:
      return fromMarked(fromStruct(value.getStructValue()));
    default:
      return null;
  }
}

function fromMarked(object: Properties): unknown {
  switch (object[SIGNATURE_KEY]) {
    case undefined:
      return object;
    case SECRET:
      // Only configuration comes with secrets marked; resources' inputs arrive plain (acceptSecrets is false).
      return object.value;
    case OUTPUT:
      return "value" in object ? object.value : UNKNOWN;
    case RESOURCE: {
      const id = object.id;
      return id === undefined || id === "" ? object.urn : id;
    }
    case ASSET:
      return fromAsset(object);
    case ARCHIVE:
      return fromArchive(object);
    default:
      throw new Error(`a property carries the unknown signature ${String(object[SIGNATURE_KEY])}`);
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function fromAsset(object: Properties): Asset {
  const hash = text(object.hash);
  const path = text(object.path);
  if (path !== undefined) return new FileAsset(path, hash);
  const uri = text(object.uri);
  if (uri !== undefined) return new RemoteAsset(uri, hash);
  // The engine sends an empty text asset like one whose content it left out; the hash of nothing tells them apart.
  const content = text(object.text) ?? (hash === undefined || hash === EMPTY_HASH ? "" : undefined);
  return content === undefined ? new ElidedAsset(hash) : new StringAsset(content, hash);
}

const EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function fromArchive(object: Properties): Archive {
  const path = text(object.path);
  const uri = text(object.uri);
  const assets = object.assets as Properties | undefined;
  const source = path !== undefined ? { path } : uri !== undefined ? { uri } : assets !== undefined ? { assets } : {};
  return new Archive(source, text(object.hash));
}

function toValue(value: unknown, path: string): Value {
  const result = new structPb.Value();
  if (value === null || value === undefined) {
    result.setNullValue(structPb.NullValue.NULL_VALUE);
  } else if (value === UNKNOWN) {
    result.setStringValue(UNKNOWN_STRING);
  } else if (typeof value === "string") {
    result.setStringValue(value);
  } else if (typeof value === "boolean") {
    result.setBoolValue(value);
  } else if (typeof value === "number" && Number.isFinite(value)) {
    result.setNumberValue(value);
  } else if (Array.isArray(value)) {
    const list = new structPb.ListValue();
    list.setValuesList(value.map((item, index) => toValue(item, `${path}[${index}]`)));
    result.setListValue(list);
  } else if (typeof value === "object") {
    result.setStructValue(toStruct(toMarked(value)));
  } else {
    throw new Error(`property ${path}: a ${typeof value} cannot be a property's value`);
  }
  return result;
}

function toMarked(value: object): Properties {
  if (value instanceof Secret) return { [SIGNATURE_KEY]: SECRET, value: value.value };
  if (value instanceof Archive) return { [SIGNATURE_KEY]: ARCHIVE, hash: value.hash, ...value.source };
  if (value instanceof FileAsset) return { [SIGNATURE_KEY]: ASSET, hash: value.hash, path: value.path };
  if (value instanceof StringAsset) return { [SIGNATURE_KEY]: ASSET, hash: value.hash, text: value.text };
  if (value instanceof RemoteAsset) return { [SIGNATURE_KEY]: ASSET, hash: value.hash, uri: value.uri };
  if (value instanceof ElidedAsset) return { [SIGNATURE_KEY]: ASSET, hash: value.hash };
  return value as Properties;
}
