// Declarations that the type packages leave out: Node's direct string methods of a Buffer, which every runtime has.

export {}

declare global {
  interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
    latin1Write(text: string, offset?: number, length?: number): number
    ucs2Write(text: string, offset?: number, length?: number): number
    utf8Write(text: string, offset?: number, length?: number): number
    latin1Slice(start?: number, end?: number): string
    ucs2Slice(start?: number, end?: number): string
    utf8Slice(start?: number, end?: number): string
  }
}
