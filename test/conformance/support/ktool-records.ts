// ktool itself as writer and reader of the records.

import type { Reader, Writer } from './foreign-records.ts'

export function ktoolWriters(): Writer[] {
  return []
}

export function ktoolReaders(): Reader[] {
  return []
}
