import type { Endpoint, WireOptions } from './wire.ts'
// eslint-disable-next-line
export async function diagnose(error: unknown, endpoint: Endpoint, options: WireOptions): Promise<unknown> {
  return error
}
