// The deserializers of org.apache.kafka.common.serialization by their names, as far as their results can be printed:
// bytes to what Java's toString makes of the value. Text stays the bytes it is, so that what is no UTF-8 survives.

import { doubleText, floatText } from '../../base/float-text.ts'
import { JavaError } from '../apache/java-errors.ts'

/** Throws the JavaError of bytes that it can't read. */
export type Deserializer = (bytes: Buffer) => Buffer | string

const DESERIALIZERS: Readonly<Record<string, Deserializer>> = {
  String: (bytes) => bytes,
  ByteArray: (bytes) => `[B@${bytes.length.toString(16).padStart(8, '0')}`, // an identity hash there
  ByteBuffer: (bytes) => `java.nio.HeapByteBuffer[pos=0 lim=${bytes.length} cap=${bytes.length}]`,
  Bytes: bytesText,
  Boolean: (bytes) => {
    if (bytes.length !== 1) throw serialization('Size of data received by BooleanDeserializer is not 1')
    if (bytes[0] > 1) throw serialization(`Unexpected byte received by BooleanDeserializer: ${bytes.readInt8(0)}`)
    return bytes[0] === 0 ? 'false' : 'true'
  },
  Short: sized('Short', 2, (bytes) => String(bytes.readInt16BE(0))),
  Integer: sized('Integer', 4, (bytes) => String(bytes.readInt32BE(0))),
  Long: sized('Long', 8, (bytes) => String(bytes.readBigInt64BE(0))),
  Float: sized('Float', 4, (bytes) => floatText(bytes.readFloatBE(0)), 'Size of data received by Deserializer is not 4'),
  Double: sized('Double', 8, (bytes) => doubleText(bytes.readDoubleBE(0)), 'Size of data received by Deserializer is not 8'),
  UUID: uuidText,
  Void: () => {
    throw new JavaError('java.lang.IllegalArgumentException', 'Data should be null for a VoidDeserializer.')
  },
}

/** Undefined for a class that is not known here. */
export function deserializerOf(className: string): Deserializer | undefined {
  const name = /^org\.apache\.kafka\.common\.serialization\.(\w+)Deserializer$/.exec(className)?.[1] ?? ''
  return Object.hasOwn(DESERIALIZERS, name) ? DESERIALIZERS[name] : undefined
}

function sized(type: string, size: number, text: (bytes: Buffer) => string, complaint = `Size of data received by ${type}Deserializer is not ${size}`): Deserializer {
  return (bytes) => {
    if (bytes.length !== size) throw serialization(complaint)
    return text(bytes)
  }
}

function serialization(message: string): JavaError {
  return new JavaError('org.apache.kafka.common.errors.SerializationException', message)
}

/** Bytes.toString: printable ASCII but the backslash as it is. */
function bytesText(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x5c
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

const UUID_PARTS = /^([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]+)$/i

/** UUID.fromString takes parts of any length and keeps their last digits. */
function uuidText(bytes: Buffer): string {
  const parts = UUID_PARTS.exec(bytes.toString())
  if (parts === null || bytes.length > 36) {
    throw serialization(`Error parsing data into UUID`)
  }
  return [8, 4, 4, 4, 12].map((size, index) => parts[index + 1].slice(-size).padStart(size, '0').toLowerCase()).join('-')
}
