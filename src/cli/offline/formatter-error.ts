// How formatting a directory fails.

/** What kafka-storage says in one line on stderr, with exit code 1: FormatterException and TerseFailure of Kafka. */
export class FormatterError extends Error {
  override readonly name = 'FormatterError'
}
