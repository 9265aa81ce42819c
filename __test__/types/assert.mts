/** Whether two types are the same, `any` and `never` included. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles where the type of `value` is exactly `T`. */
export declare function is<T>(): <U>(value: U, same: Same<T, U>) => void
