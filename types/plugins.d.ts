// Plugins: native tasks of your own, written in Rust.

/** A task of a plugin, as the plugin describes it. Types are TypeScript. */
export interface PluginTask {
  /** `plugin.task`. */
  readonly name: string
  /** The documentation of the task; null if the plugin has none. */
  readonly doc: string | null
  /** The type of the input; null if the plugin does not tell. */
  readonly input: string | null
  /** The type of the params; null if the task takes none. */
  readonly params: string | null
  /** The type of the result; null if the plugin does not tell. */
  readonly result: string | null
  /** The type of the chunks that the task gives as a stream; null if it cannot be called as a stream. */
  readonly chunk: string | null
}

/** A plugin that has been loaded into this process. */
export interface LoadedPlugin {
  /** The part before the dot in the names of its tasks. */
  readonly name: string
  /** The path of its library, with symbolic links resolved. */
  readonly file: string
  /** The version of `rspool-task` that it was built with. */
  readonly version: string
  /** The profile that it was built with. */
  readonly profile: 'debug' | 'release' | string
  /** The tasks of the plugin. */
  readonly tasks: readonly PluginTask[]
}

/** The options of {@link loadTasks}. */
export interface LoadTasksOptions {
  /**
   * The config from which the plugin makes its states, as plain data: for the default pool, and for all pools that have
   * no config of their own. The first config that the process gives a plugin counts.
   */
  config?: object | undefined
}

/** A plugin of a pool. */
export interface PoolPlugin {
  /** A library, a `file:` URL of a library, the folder of a package of tasks, or the name of such a package. */
  readonly path: string | URL
  /** The config from which the plugin makes the states of this pool, as plain data. Default: nothing. */
  readonly config?: object | undefined
}

/**
 * Loads native tasks of your own. They can be called in every thread of the process from then on, as
 * `runTask('plugin.task', input)` and as `tasks.plugin.task(input)`. A file is loaded once, and stays until the process
 * ends. Loading it again does nothing.
 *
 * A plugin is code of this process: if it crashes, the process crashes. Load only plugins that you trust.
 *
 * @param place a library (`./words.node`), a `file:` URL of a library, the folder of a package of tasks (`./words`), or
 * the name of such a package, which is resolved from the program's main file
 * @throws `ERR_RSPOOL_PLUGIN_NOT_FOUND`: there is no such file or package, or it has no library for this platform
 * @throws `ERR_RSPOOL_PLUGIN_INVALID`: the file is no library, or no plugin
 * @throws `ERR_RSPOOL_PLUGIN_INCOMPATIBLE`: it is built for another version of the plugin interface, or another machine
 * @throws `ERR_RSPOOL_TASK_EXISTS`: another file, or rspool itself, has tasks of this plugin's name
 * @throws `ERR_ACCESS_DENIED`: the permission model does not allow reading the file
 */
export declare function loadTasks(place: string | URL, options?: LoadTasksOptions): Promise<LoadedPlugin>
