/** The symbols by which an object says itself what of it is moved. `rspool/piscina` exports them. */

/**
 * The property by which an object of a class says to {@link move} what of it is moved: one thing or an array.
 */
export const transferableSymbol: unique symbol

/** The property by which an object of a class says to {@link move} what arrives in its place. */
export const valueSymbol: unique symbol
