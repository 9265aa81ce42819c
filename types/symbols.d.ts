/** The symbols with which an object itself says which parts of it are moved. `rspool/piscina` exports them. */

/**
 * The property with which an object names the parts of it that {@link move} moves: one object or an array.
 */
export const transferableSymbol: unique symbol

/** The property with which an object tells {@link move} which value arrives in its place. */
export const valueSymbol: unique symbol
