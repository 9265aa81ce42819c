'use strict'

// Handles the changes that tools make to the text of an inline function. Coverage tools count in it, compilers call
// helpers that stand at the top of its file, and imports get other names. This code gives counters and helpers to the
// function. For other names it makes an error that names the tool and says what to do.

const { invalidArgument } = require('../errors')

/** @typedef {(...args: never[]) => unknown} Helper */
/** @typedef {Generator<unknown, unknown, unknown>} Steps */
/** @typedef {(...args: unknown[]) => Steps} MakeSteps */

/** Stands for a counter of istanbul: everything in it can be read and raised, and is lost. @type {unknown} */
const counter = new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => 0 : counter),
  set: () => true,
  apply: () => counter
})

/** Runs a generator as an async function. @param {Steps} steps */
async function drive(steps) {
  let step = steps.next()
  while (!step.done) {
    let value
    try {
      value = await step.value
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(value)
  }
  return step.value
}

/** Makes an async function of a generator function. @param {MakeSteps} make */
function asyncOf(make) {
  /** @this {unknown} @param {unknown[]} args */
  return async function (...args) {
    return drive(make.apply(this, args))
  }
}

/** @param {unknown} self @param {ArrayLike<unknown> | null | undefined} args @param {MakeSteps} make */
async function asyncCall(self, args, make) {
  return drive(make.apply(self, Array.from(args ?? [])))
}

/**
 * The third argument is another class of promise, which TypeScript allows.
 * @param {unknown} self @param {ArrayLike<unknown> | undefined} args @param {unknown} _ @param {MakeSteps} make
 */
function awaiter(self, args, _, make) {
  return asyncCall(self, args, make)
}

/**
 * The namespace that `import()` would give, for an `import()` that a compiler has turned into `require`.
 * @param {{ __esModule?: boolean } | null | undefined} module
 */
function namespaceOf(module) {
  return module?.__esModule ? module : { ...module, default: module }
}

/** @param {{ __esModule?: boolean } | null | undefined} module */
function defaultOf(module) {
  return module?.__esModule ? module : { default: module }
}

/** The iterator of a `for await` loop. @param {Iterable<unknown> & Partial<AsyncIterable<unknown>>} values */
function asyncIteratorOf(values) {
  return values[Symbol.asyncIterator]?.() ?? settling(values)
}

/** @param {Iterable<unknown>} values */
async function* settling(values) {
  yield* values
}

/** An object without these properties. @param {object} value @param {readonly PropertyKey[]} without */
function restOf(value, without) {
  const named = Object.entries(Object.getOwnPropertyDescriptors(value)).filter(([key]) => !without.includes(key))
  const symbols = Object.getOwnPropertySymbols(value).filter((key) => !without.includes(key))
  const own = [...named.map(([key]) => key), ...symbols].filter((key) => ({}).propertyIsEnumerable.call(value, key))
  return Object.fromEntries(own.map((key) => [key, Reflect.get(value, key)]))
}

/** @param {object} target @param {object[]} sources */
function assign(target, ...sources) {
  return Object.assign(target, ...sources)
}

/** @param {Function} fn @param {string} value */
function keepName(fn, value) {
  return Object.defineProperty(fn, 'name', { value, configurable: true })
}

// In SWC's package each helper is the property `_` of a module.
for (const helper of [asyncOf, namespaceOf, defaultOf, asyncIteratorOf, restOf, assign])
  Object.assign(helper, { _: helper })

/** The helpers by the names that tools give them. @type {ReadonlyMap<string, Helper>} */
const HELPERS = new Map(
  Object.entries({
    // esbuild, and so tsx
    __name: keepName,
    __async: asyncCall,
    __spreadValues: assign,
    __spreadProps: assign,
    __objRest: restOf,
    __toESM: namespaceOf,
    __forAwait: asyncIteratorOf,
    // TypeScript, and so ts-jest
    __awaiter: awaiter,
    __rest: restOf,
    __asyncValues: asyncIteratorOf,
    __importStar: namespaceOf,
    __importDefault: defaultOf,
    // Babel, and so babel-jest
    _asyncToGenerator: asyncOf,
    _objectSpread: assign,
    _objectWithoutProperties: restOf,
    _asyncIterator: asyncIteratorOf,
    _interopRequireWildcard: namespaceOf,
    _interopRequireDefault: defaultOf,
    // SWC
    _async_to_generator: asyncOf,
    _object_spread: assign,
    _object_spread_props: assign,
    _object_without_properties: restOf,
    _async_iterator: asyncIteratorOf,
    _interop_require_wildcard: namespaceOf,
    _interop_require_default: defaultOf
  })
)

const COUNTER = /^cov_[0-9a-z]+$/
/** A variable in which istanbul keeps a value that it inspects. */
const COUNTED = /^cov_[0-9a-z]+_temp$/
/** TypeScript's other helpers, which tslib has too. */
const OF_TSLIB =
  /^__(generator|assign|spreadArray|read|values|extends|await|asyncGenerator|asyncDelegator|makeTemplateObject|classPrivateField(Get|Set|In)|addDisposableResource|disposeResources)$/

/**
 * The functions that load modules for a file.
 * @typedef {{ require: (name: string) => unknown, import: (specifier: string) => Promise<unknown> }} Place
 */

/** @param {string} source */
function namesIn(source) {
  return new Set(source.split(/[^\p{ID_Continue}$\u200c\u200d]+/u))
}

/**
 * The values to give to the text of a function, by name.
 * @param {string} source
 * @param {() => Place} place of the file of the function
 */
function helpersFor(source, place) {
  /** @type {Record<string, unknown>} */
  const given = {}
  for (const name of namesIn(source)) {
    const helper = HELPERS.get(name)
    if (helper !== undefined) given[name] = helper
    else if (COUNTER.test(name)) given[name] = counter
    else if (COUNTED.test(name)) given[name] = undefined
    else if (name === '__vite_ssr_dynamic_import__') given[name] = place().import
    else if (name === 'tslib_1' || OF_TSLIB.test(name)) {
      const tslib = tslibOf(place())
      if (tslib !== undefined) given[name] = name === 'tslib_1' ? tslib : tslib[name]
    } else if (name.endsWith('2') && HELPERS.has(name.slice(0, -1))) {
      // In Babel's package each helper is the default export of a module.
      given[name] = { default: HELPERS.get(name.slice(0, -1)) }
    }
  }
  return given
}

/** @param {Place} place */
function tslibOf(place) {
  try {
    return /** @type {Record<string, unknown>} */ (place.require('tslib'))
  } catch {
    return undefined
  }
}

const IMPORT_INSIDE =
  "import it inside of the function, as in `const { join } = await import('node:path')`, or make the function a script"

/** Names that only tools give: what each name is, and what to do. @type {[RegExp, string, string][]} */
const OF_TOOLS = [
  [/^__(vite_ssr|vi)_import_\d+__$/, 'Vite (and so vitest) has made of an import of its file', IMPORT_INSIDE],
  [/^__vite_ssr_import_meta__$/, 'Vite (and so vitest) has made of import.meta', 'pass what you need of it as input'],
  [/__WEBPACK_IMPORTED_MODULE_|^__webpack_/, 'webpack has made of an import of its file', IMPORT_INSIDE],
  [/^__TURBOPACK__/, 'Turbopack has made of an import of its file', IMPORT_INSIDE],
  [/^__?jest_/, 'Jest has put into its file', 'make the function a script'],
  [OF_TSLIB, 'is a helper of TypeScript', 'set "target" to es2018 or later, or install tslib'],
  [/^tslib_1$/, 'is the helpers of TypeScript', 'install tslib, or set "target" to es2018 or later'],
  [
    /^__(privateGet|privateSet|privateAdd|privateMethod|publicField|yieldStar|asyncGenerator|using|callDispose|template)$/,
    'is a helper of esbuild',
    'set its target to node20 or later'
  ],
  [/^_ref\d*$/, 'Babel has put outside of an async function', 'have it compile for the Node.js that runs'],
  [
    /^_(ts_\w+|regenerator\w*|class_?(call|private|static)\w*|define_?property|to_?consumable_?array|sliced_?to_?array|create_?class|wrap_?async_?generator|await_?async_?generator)$/i,
    'is a helper of Babel or SWC',
    'have it compile for the Node.js that runs'
  ]
]

/** Names that tools give to imports, and that a user might give, too. @type {[RegExp, string][]} */
const LIKE_TOOLS = [
  [/^(import|require)_\w+$/, 'esbuild'],
  [/^[a-z]\w*_\d+$/i, 'TypeScript'],
  [/^_[a-z]\w*$/i, 'Babel or SWC']
]

/**
 * The error for a function that uses a name that does not exist in a worker.
 * @param {string} name
 * @param {unknown} cause
 */
function outsideOf(name, cause) {
  const known = OF_TOOLS.find(([pattern]) => pattern.test(name))
  const text = `The inline function uses '${name}', which ${known?.[1] ?? 'is outside of it'}. Workers get its text, without the variables around it`
  if (known !== undefined) return invalidArgument(`${text}: ${known[2]}`, { cause })
  const tool = LIKE_TOOLS.find(([pattern]) => pattern.test(name))?.[1]
  const made = tool === undefined ? '' : `. If ${tool} has made that name of an import, ${IMPORT_INSIDE}`
  return invalidArgument(`${text}. Pass it as input, as in runTask((${name}) => ..., [${name}])${made}`, { cause })
}

module.exports = { helpersFor, namesIn, outsideOf }
