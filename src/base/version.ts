// ktool's own version, put in by the build. Run from source (unit tests) there is none.

declare const KTOOL_VERSION: string | undefined

export const version = typeof KTOOL_VERSION === 'string' ? KTOOL_VERSION : '0.0.0-source'
