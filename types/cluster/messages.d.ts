// Messages: between the primary and one process, and by topic to all.

/** The process that published a message. */
export interface Publisher {
  /** Its slot; undefined for the primary and for a spare process. */
  readonly slot: number | undefined
  /** The generation of its slot; 0 where there is no slot. */
  readonly generation: number
  /** The process id of the publisher. */
  readonly pid: number
}

/**
 * Messages by topic, to all processes of the cluster and to the primary, the publisher among them. Each subscriber gets a
 * message once or not at all, and all subscribers get messages in the same order.
 */
export interface Topics {
  /**
   * Publishes a message, which is encoded now. It may be anything that `structuredClone` takes, except ports and shared
   * memory. The call waits for no process.
   *
   * @param topic 1 to 250 bytes
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` if message and topic together have more bytes than a quarter of
   *   `publishBytes`
   * @throws `DataCloneError` for a message that cannot be cloned
   * @throws `ERR_RSPOOL_PUBLISH_BUSY` if a process that was stopped (SIGSTOP) in the middle of publishing has kept its place
   * until the whole ring was full
   * @throws `ERR_RSPOOL_UNSUPPORTED` if `publishBytes` is 0, `ERR_RSPOOL_CLUSTER_STOPPED` if the cluster has ended
   */
  publish(topic: string, message: unknown): void
  /**
   * Calls the listener, from now on, with its own copy of each message of the topic. A subscription keeps no process
   * alive.
   *
   * @returns a function that ends the subscription
   */
  subscribe(
    topic: string,
    listener: (message: any, publisher: Publisher) => unknown,
    options?: {
      /**
       * Called with the number of messages, of all topics, that were overwritten before this process could read them,
       * because its event loop was busy for longer than `publishBytes` lasts.
       */
      onMissed?: (count: number) => unknown
    }
  ): () => void
}

/** The process that sent a message, or that an event is about. */
export interface Sender {
  /** Its slot. */
  readonly slot: number
  /** The number of the process within its slot, from 1. */
  readonly generation: number
  /** Its process id. */
  readonly pid: number
}

/** Messages between a process and the primary. Use {@link Topics} for messages between processes. */
export interface Messages {
  /** Sends a message to the primary. Resolves when the channel has taken the message; need not be awaited. */
  send(message: unknown): Promise<void>
  /**
   * Sends a request to the primary, and gives its answer. Rejects with `ERR_RSPOOL_REQUEST_TIMEOUT` (default 10000 ms),
   * `ERR_RSPOOL_PROCESS_EXIT`, or the error that the other side threw, with its class (if built in), message, stack,
   * properties and cause.
   */
  request(message: unknown, options?: { timeout?: number }): Promise<any>
  /**
   * Calls the listener with each message that the primary sends to this process.
   * @returns a function that removes the listener
   */
  onMessage(listener: (message: any, sender: Partial<Sender>) => unknown): () => void
  /**
   * Sets the function that answers requests: its result, awaited, is the answer, and an error that it throws rejects the
   * request. A second call replaces the function.
   */
  onRequest(answer: (message: any, sender: Partial<Sender>) => unknown): void
}
