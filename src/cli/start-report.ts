// What a daemon that was started in the background tells the command that started it, over their IPC channel: once.

import type { BrokerStatus } from '../base/control-messages.ts'
import type { Failure } from './errors.ts'

export type StartReport = { readonly ready: BrokerStatus; readonly warnings: readonly string[] } | { readonly failed: Failure }
