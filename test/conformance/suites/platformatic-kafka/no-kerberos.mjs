// The kerberos package is native code without a build in the registry, and a file of tests that have nothing to do
// with it imports it: an empty one stands in.

import { registerHooks } from 'node:module'

const EMPTY = 'data:text/javascript,export const GSS_MECH_OID_KRB5 = 9; export const initializeClient = undefined; export default {}'

registerHooks({
  resolve: (name, context, next) => (name === 'kerberos' ? { url: EMPTY, shortCircuit: true } : next(name, context)),
})
