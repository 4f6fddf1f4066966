// The language in which messages are declared: one value says fields, versions, nullability, tags and defaults; types
// are inferred from it, and codec.ts compiles it to encoders and decoders. Names and numbers are Apache's, in camelCase.
//
//   export const ListThings = api('ListThings', {
//     key: 99, versions: [0, 3], flexible: 2,
//     request:  { names: array(string).nullable(), limit: int32.since(1).or(-1) },
//     response: { throttleTimeMs: int32.ignorable(), things: array({ name: string, id: uuid.since(3).ignorable() }) },
//   })
//
// A value has one shape for all versions: decoding gives an absent field its default, as Apache's generated classes do.
// Encoding leaves an absent field out if it is ignorable or at its default, and throws otherwise.

import { Codec } from './codec.ts'
import { ZERO_UUID } from './reader.ts'

export type Kind =
  | 'bool' | 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'exactInt64' | 'float64'
  | 'uuid' | 'string' | 'bytes' | 'records' | 'array' | 'struct' // prettier-ignore

/** Everything the compiler needs to know of one field's type; the methods give a changed copy. */
export class Type<T, Optional extends boolean = false> {
  declare readonly _value: T // never set: carries the type
  declare readonly _optional: Optional
  readonly kind: Kind
  readonly fallback: unknown
  readonly settings: Settings

  constructor(kind: Kind, fallback: unknown, settings: Settings = {}) {
    this.kind = kind
    this.fallback = fallback
    this.settings = settings
  }

  /** Null is allowed, from version `since` on. The default stays what it was; say `.or(null)` where Apache does. */
  nullable(since = 0): Type<T | null, Optional> {
    return this.#with({ nullableSince: since })
  }

  /** The default, in the declaration as in Apache's: writers may then leave the field out. */
  or(fallback: T): Type<T, true> {
    return new Type<T, true>(this.kind, fallback, this.settings)
  }

  /** The field exists from version `version` on. */
  since(version: number): Type<T, Optional> {
    return this.#with({ since: version })
  }

  /** The field exists up to and with version `version`. */
  until(version: number): Type<T, Optional> {
    return this.#with({ until: version })
  }

  /** Where a version lacks the field, a value that is not the default is dropped instead of refused. */
  ignorable(): Type<T, Optional> {
    return this.#with({ ignorable: true })
  }

  /** A tagged field, from version `since` on. */
  tagged(tag: number, since: number): Type<T, true> {
    return new Type<T, true>(this.kind, this.fallback, { ...this.settings, tag, taggedSince: since })
  }

  #with<V>(settings: Settings): Type<V, Optional> {
    return new Type<V, Optional>(this.kind, this.fallback, { ...this.settings, ...settings })
  }
}

export interface Settings {
  readonly nullableSince?: number
  readonly since?: number
  readonly until?: number
  readonly ignorable?: boolean
  readonly tag?: number
  readonly taggedSince?: number
  readonly element?: Type<unknown, boolean> // of an array
  readonly fields?: Fields // of a struct
}

export type Fields = Readonly<Record<string, Type<unknown, boolean>>>

/** A decoded struct: every field present. */
export type Decoded<F extends Fields> = { -readonly [K in keyof F]: F[K]['_value'] }

/** A struct to encode: fields with a declared default may be left out. */
export type Encodable<F extends Fields> = {
  readonly [K in keyof F as F[K]['_optional'] extends true ? never : K]: Input<F[K]['_value']>
} & { readonly [K in keyof F as F[K]['_optional'] extends true ? K : never]?: Input<F[K]['_value']> | undefined }

// A struct's decoded type carries its fields, so that the type to encode can be found inside arrays and nullables.
declare const fieldsOf: unique symbol
type Struct<F extends Fields> = Decoded<F> & { readonly [fieldsOf]?: F }
type Input<T> = T extends { readonly [fieldsOf]?: infer F extends Fields }
  ? Encodable<F>
  : T extends Buffer | bigint | string | number | boolean | null
    ? T
    : T extends (infer E)[]
      ? readonly Input<E>[]
      : T

export const bool = new Type<boolean>('bool', false)
export const int8 = new Type<number>('int8', 0)
export const int16 = new Type<number>('int16', 0)
export const uint16 = new Type<number>('uint16', 0)
export const int32 = new Type<number>('int32', 0)
export const uint32 = new Type<number>('uint32', 0)
/** Offsets and timestamps: a number, saturating at ±(2^53−1). */
export const int64 = new Type<number>('int64', 0)
/** Values that are stored and handed back, such as producer ids: a bigint. */
export const exactInt64 = new Type<bigint>('exactInt64', 0n)
export const float64 = new Type<number>('float64', 0)
/** 16 bytes, as 22 characters of URL-safe base64 without padding, the way Kafka prints them. */
export const uuid = new Type<string>('uuid', ZERO_UUID)
export const string = new Type<string>('string', '')
/** A view of the bytes that came; not a copy. */
export const bytes = new Type<Buffer>('bytes', Buffer.alloc(0))
/** Record batches, as bytes. */
export const records = new Type<Buffer>('records', null).nullable()

export function struct<const F extends Fields>(fields: F): Type<Struct<F>> {
  return new Type<Struct<F>>('struct', null, { fields })
}

export function array<const F extends Fields>(element: F): Type<Struct<F>[]>
export function array<T>(element: Type<T, boolean>): Type<T[]>
export function array(element: Fields | Type<unknown, boolean>): Type<unknown[]> {
  return new Type('array', [], { element: element instanceof Type ? element : struct(element) })
}

/** One message: a request, a response, a record's key or value. */
export interface Message<F extends Fields> {
  readonly name: string
  readonly versions: readonly [min: number, max: number]
  /** The first version with compact lengths and tagged fields; Infinity where there is none. */
  readonly flexible: number
  readonly fields: F
  /** Compiled on first use. Throws ProtocolError for a version outside `versions`. */
  codec(version: number): Codec<F>
}

export interface Api<Q extends Fields = Fields, S extends Fields = Fields> {
  readonly name: string
  readonly key: number
  /** What the declaration covers: Apache's validVersions. Brokers advertise what they implement. */
  readonly versions: readonly [min: number, max: number]
  readonly flexible: number
  readonly request: Message<Q>
  readonly response: Message<S>
}

/** As handlers receive it, and as clients send it. */
export type RequestOf<A> = A extends Api<infer Q> ? Decoded<Q> : never
export type RequestInput<A> = A extends Api<infer Q> ? Encodable<Q> : never
/** As clients receive it, and as handlers answer. */
export type ResponseOf<A> = A extends Api<Fields, infer S> ? Decoded<S> : never
export type ResponseInput<A> = A extends Api<Fields, infer S> ? Encodable<S> : never
export type ValueOf<M> = M extends Message<infer F> ? Decoded<F> : never
export type InputOf<M> = M extends Message<infer F> ? Encodable<F> : never

export function message<const F extends Fields>(
  name: string,
  versions: readonly [number, number],
  flexible: number,
  fields: F,
): Message<F> {
  const compiled = new Map<number, Codec<F>>()
  return {
    name,
    versions,
    flexible,
    fields,
    codec(version) {
      let codec = compiled.get(version)
      if (codec === undefined) {
        codec = new Codec(name, fields, version, versions, version >= flexible)
        compiled.set(version, codec)
      }
      return codec
    },
  }
}

/** `flexible` defaults to never. */
export function api<const Q extends Fields, const S extends Fields>(
  name: string,
  declaration: {
    readonly key: number
    readonly versions: readonly [number, number]
    readonly flexible?: number
    readonly request: Q
    readonly response: S
  },
): Api<Q, S> {
  const { key, versions, flexible = Infinity, request, response } = declaration
  return {
    name,
    key,
    versions,
    flexible,
    request: message(`${name}Request`, versions, flexible, request),
    response: message(`${name}Response`, versions, flexible, response),
  }
}
