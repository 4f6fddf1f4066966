// Users who log in with SCRAM, by mechanism and name, as the metadata log has them. Changed by replay alone.

import type { RecordOf } from './records.ts'

export type ScramRecord = RecordOf<'UserScramCredentialRecord'>

export class ScramUserImage {
  readonly #byMechanism = new Map<number, Map<string, ScramRecord>>()

  find(mechanism: number, user: string): ScramRecord | undefined {
    return this.#byMechanism.get(mechanism)?.get(user)
  }

  /** One of them; undefined where there are none. */
  any(mechanism: number): ScramRecord | undefined {
    return this.#byMechanism.get(mechanism)?.values().next().value
  }

  *records(): Generator<ScramRecord> {
    for (const users of this.#byMechanism.values()) yield* users.values()
  }

  set(record: ScramRecord): void {
    const users = this.#byMechanism.get(record.mechanism)
    if (users === undefined) this.#byMechanism.set(record.mechanism, new Map([[record.name, record]]))
    else users.set(record.name, record)
  }

  remove({ mechanism, name }: { readonly mechanism: number; readonly name: string }): void {
    this.#byMechanism.get(mechanism)?.delete(name)
  }
}
