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
 * message once or not at all, and all get them in the same order.
 */
export interface Topics {
  /**
   * Publishes a message, encoded now: what `structuredClone` takes, without what only a port can carry (ports, shared
   * memory). Nobody is waited for.
   *
   * @param topic 1 to 250 bytes
   * @throws `ERR_RSPOOL_INVALID_ARGUMENT` when message and topic have more bytes than a quarter of `publishBytes`
   * @throws `DataCloneError` for a message that cannot be cloned
   * @throws `ERR_RSPOOL_PUBLISH_BUSY` when a process that was stopped (SIGSTOP) in the middle of publishing has kept its place
   * until the whole ring was full
   * @throws `ERR_RSPOOL_UNSUPPORTED` when `publishBytes` is 0, `ERR_RSPOOL_CLUSTER_STOPPED` when the cluster has ended
   */
  publish(topic: string, message: unknown): void
  /**
   * Calls the listener, from now on, with a copy of its own of each message about the topic. It keeps no process alive.
   *
   * @returns what ends the subscription
   */
  subscribe(
    topic: string,
    listener: (message: any, publisher: Publisher) => unknown,
    options?: {
      /**
       * Hears how many messages, of all topics, were written over before this process could read them: its event loop was
       * busy for longer than `publishBytes` lasts.
       */
      onMissed?: (count: number) => unknown
    }
  ): () => void
}

/** The process that sent a message, or that an event is about. */
export interface Sender {
  /** Its slot. */
  readonly slot: number
  /** Which process of its slot it is, from 1. */
  readonly generation: number
  /** Its process id. */
  readonly pid: number
}

/** Messages between a process and the primary; those between processes go by {@link Topics}. */
export interface Messages {
  /** Sends to the primary. Resolves when the channel has taken it; need not be awaited. */
  send(message: unknown): Promise<void>
  /**
   * Sends to the primary, and gives its answer.
   * Rejects with `ERR_RSPOOL_REQUEST_TIMEOUT` (default 10000 ms), `ERR_RSPOOL_PROCESS_EXIT`, or what the other side threw:
   * its class (of the built-in ones), message, stack, properties and cause.
   */
  request(message: unknown, options?: { timeout?: number }): Promise<any>
  /**
   * Calls the listener with each message that the primary sends to this process.
   * @returns what takes the listener away
   */
  onMessage(listener: (message: any, sender: Partial<Sender>) => unknown): () => void
  /**
   * Sets the function that answers requests: its result, awaited, is the answer, and what it throws rejects the request. A
   * second call replaces the function.
   */
  onRequest(answer: (message: any, sender: Partial<Sender>) => unknown): void
}
