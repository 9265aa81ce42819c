'use strict'

// Turns the user's option `connection` into the connections of BullMQ and the store. Calls share one connection, which
// fails at once while the server is away. Workers and listeners have their own connections, which wait for the server.

const { createRequire } = require('node:module')
const path = require('node:path')
const { RspoolError, InputTooLargeError, invalidArgument } = require('../../errors')
const { show } = require('../../pool/options/validate')

/** @typedef {import('../types').Store} Store */

/** Bytes per piece of a large value: as many as one command may carry. */
const PIECE = 1024 * 1024

/**
 * Loads a package of the application.
 * @param {string} name
 * @param {NodeJS.Require} from
 * @param {string} why
 */
function load(name, from, why) {
  for (const find of [from, createRequire(path.join(process.cwd(), 'package.json'))]) {
    try {
      return find(name)
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  throw new RspoolError('ERR_RSPOOL_ENGINE', `${why} needs the package ${name}: npm install ${name}`)
}

/** @returns {import('./bull').Bull} */
function loadBull() {
  return load('bullmq', require, 'A fleet with a connection')
}

/**
 * @typedef {object} Reached
 * @property {'redis' | 'postgres'} kind
 * @property {object} calls the connection that calls share
 * @property {object} worker the options with which each worker and listener connects
 * @property {(prefix: string) => import('../types').Store} store
 * @property {() => Promise<number>} now milliseconds by the server's clock
 * @property {(key: string) => Promise<unknown>} forget deletes a key of the engine
 * @property {() => Promise<unknown>} close
 */

/**
 * @param {unknown} connection
 * @param {boolean} patient whether calls wait for a server that is away, as the calls of workers do until their lease
 *   ends
 * @returns {Reached}
 */
function reach(connection, patient) {
  if (typeof connection === 'string') {
    if (/^rediss?:/.test(connection)) return overRedis(fromUrl(new URL(connection)), patient)
    if (/^postgres(ql)?:/.test(connection)) return overPostgres({ connectionString: connection })
  } else if (connection !== null && typeof connection === 'object') {
    if ('connectionString' in connection) return overPostgres(connection)
    if ('host' in connection || 'port' in connection || 'path' in connection) return overRedis(connection, patient)
  }
  throw invalidArgument(
    `Fleet: 'connection' must be a redis:, rediss: or postgres: URL, or { host, port }, or { connectionString }, got ${show(connection)}`
  )
}

/** @param {URL} url */
function fromUrl({ hostname, port, username, password, pathname, protocol }) {
  const db = pathname.slice(1)
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(db === '' ? {} : { db: Number(db) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {})
  }
}

/** Milliseconds until a lost connection is tried again. @param {number} times that the connection was lost */
function retryStrategy(times) {
  return Math.min(times * 50, 500)
}

/**
 * @param {object} options of ioredis
 * @param {boolean} patient
 * @returns {Reached}
 */
function overRedis(options, patient) {
  /** @type {typeof import('ioredis').Redis} */
  const Redis = load('ioredis', createRequire(require.resolve('bullmq')), 'A fleet over Redis').Redis
  const waiting = { ...options, maxRetriesPerRequest: null, retryStrategy }
  const client = new Redis(
    patient ? waiting : { ...options, enableOfflineQueue: false, maxRetriesPerRequest: 1, retryStrategy }
  )
  // A pending call keeps the process alive, by its limit. A connection does not.
  client.on('connect', () => client.stream.unref())
  client.on('error', () => {})
  return {
    kind: 'redis',
    calls: client,
    worker: waiting,
    store: (prefix) => new RedisStore(client, prefix),
    now: async () => {
      const [seconds, micros] = await client.time()
      return Number(seconds) * 1000 + Number(micros) / 1000
    },
    forget: (key) => client.del(key),
    close: async () => client.disconnect()
  }
}

/**
 * Keeps each value in pieces, under keys that expire.
 * @implements {Store}
 */
class RedisStore {
  #client
  #prefix

  /**
   * @param {import('ioredis').Redis} client
   * @param {string} prefix
   */
  constructor(client, prefix) {
    this.#client = client
    this.#prefix = prefix
  }

  /**
   * @param {string} key
   * @param {number} piece
   */
  #key(key, piece) {
    return `${this.#prefix}:value:${key}:${piece}`
  }

  /**
   * @param {string} key
   * @param {Uint8Array} bytes
   * @param {number} ttl
   */
  async put(key, { buffer, byteOffset, byteLength }, ttl) {
    const all = Buffer.from(buffer, byteOffset, byteLength)
    const pieces = Math.max(1, Math.ceil(all.length / PIECE))
    for (let i = pieces - 1; i >= 0; i--) {
      const piece = all.subarray(i * PIECE, (i + 1) * PIECE)
      // The first piece says how many pieces there are, and is written last.
      const head = Buffer.alloc(i === 0 ? 4 : 0)
      if (i === 0) head.writeUInt32LE(all.length)
      await this.#client.set(this.#key(key, i), Buffer.concat([head, piece]), 'PX', Math.ceil(ttl))
    }
  }

  /**
   * @param {string} key
   * @param {number} most
   */
  async get(key, most) {
    const first = await this.#client.getBuffer(this.#key(key, 0))
    if (first === null || first.length < 4) return undefined
    const size = first.readUInt32LE(0)
    if (size > most) throw new InputTooLargeError(`A value in the store has ${size} bytes, and may have ${most}`)
    const pieces = [first.subarray(4)]
    for (let at = PIECE, i = 1; at < size; at += PIECE, i++) {
      const piece = await this.#client.getBuffer(this.#key(key, i))
      if (piece === null) return undefined
      pieces.push(piece)
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)
  }

  /** @param {string} key */
  async delete(key) {
    const first = await this.#client.getrange(this.#key(key, 0), 0, 3)
    if (first === '') return
    const all = await this.#client.getBuffer(this.#key(key, 0))
    const pieces = all === null ? 1 : Math.max(1, Math.ceil(all.readUInt32LE(0) / PIECE))
    await this.#client.del(...Array.from({ length: pieces }, (_, i) => this.#key(key, i)))
  }
}

/**
 * @param {object} options of pg
 * @returns {Reached}
 */
function overPostgres(options) {
  /** @type {{ Pool: new (options: object) => import('./bull').PgPool }} */
  const { Pool } = load('pg', createRequire(require.resolve('bullmq')), 'A fleet over PostgreSQL')
  const pool = new Pool({ ...options, max: 4, connectionTimeoutMillis: 1000, allowExitOnIdle: true })
  pool.on('error', () => {})
  return {
    kind: 'postgres',
    calls: options,
    worker: options,
    store: (prefix) => new PostgresStore(pool, prefix),
    now: async () => {
      const { rows } = await pool.query('select extract(epoch from clock_timestamp()) * 1000 as now')
      return Number(rows[0].now)
    },
    forget: async () => {},
    close: () => pool.end()
  }
}

/** @param {unknown} connection */
async function migrate(connection) {
  const bull = loadBull()
  const { Client } = load('pg', createRequire(require.resolve('bullmq')), 'A fleet over PostgreSQL')
  const client = new Client(typeof connection === 'string' ? { connectionString: connection } : connection)
  await client.connect()
  try {
    await bull.runMigrations(client)
  } finally {
    await client.end()
  }
}

/**
 * Keeps values in a table of their own.
 * @implements {Store}
 */
class PostgresStore {
  #pool
  #prefix
  /** @type {Promise<unknown> | undefined} */
  #made

  /**
   * @param {import('./bull').PgPool} pool
   * @param {string} prefix
   */
  constructor(pool, prefix) {
    this.#pool = pool
    this.#prefix = prefix
  }

  /**
   * @param {string} text
   * @param {unknown[]} values
   */
  async #query(text, values) {
    this.#made ??= this.#pool
      .query(
        'create table if not exists rspool_values (key text primary key, bytes bytea not null, until timestamptz not null)'
      )
      // Two workers may make the table at the same time.
      .catch((/** @type {{ code?: string }} */ error) => {
        if (error.code !== '23505' && error.code !== '42P07') throw error
      })
    try {
      await this.#made
    } catch (error) {
      this.#made = undefined
      throw error
    }
    return this.#pool.query(text, values)
  }

  /**
   * @param {string} key
   * @param {Uint8Array} bytes
   * @param {number} ttl
   */
  async put(key, { buffer, byteOffset, byteLength }, ttl) {
    await this.#query(
      "with old as (delete from rspool_values where until < now()) insert into rspool_values values ($1, $2, now() + $3 * interval '1 ms') on conflict (key) do update set bytes = excluded.bytes, until = excluded.until",
      [`${this.#prefix}:${key}`, Buffer.from(buffer, byteOffset, byteLength), Math.ceil(ttl)]
    )
  }

  /**
   * @param {string} key
   * @param {number} most
   */
  async get(key, most) {
    const { rows } = await this.#query(
      'select length(bytes) as size, case when length(bytes) <= $2 then bytes end as bytes from rspool_values where key = $1 and until > now()',
      [`${this.#prefix}:${key}`, most]
    )
    if (rows.length === 0) return undefined
    if (rows[0].bytes === null)
      throw new InputTooLargeError(`A value in the store has ${rows[0].size} bytes, and may have ${most}`)
    return rows[0].bytes
  }

  /** @param {string} key */
  async delete(key) {
    await this.#query('delete from rspool_values where key = $1', [`${this.#prefix}:${key}`])
  }
}

module.exports = { loadBull, reach, migrate }
