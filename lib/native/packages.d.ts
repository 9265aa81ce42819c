// The prebuilt packages: those of other platforms are not installed.

declare module 'rspool-*' {
  const addon: unknown
  export = addon
}
