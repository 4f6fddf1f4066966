// What a key store holds, whatever its format.

/** DER: X.509 certificates in the store's order, and PKCS#8 private keys. */
export interface StoreContents {
  readonly certificates: readonly Buffer[]
  readonly keys: readonly Buffer[]
}
