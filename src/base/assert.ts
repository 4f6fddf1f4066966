// Assertions stay on in production: a broken invariant stops the work at hand instead of spreading.

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws AssertionError when `condition` is false. For our own mistakes only; bad input has typed errors. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
