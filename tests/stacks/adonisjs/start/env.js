import { Env } from '@adonisjs/core/env'

export default await Env.create(new URL('../', import.meta.url), {
  NODE_ENV: Env.schema.enum(['development', 'production', 'test']),
  HOST: Env.schema.string({ format: 'host' }),
  PORT: Env.schema.number(),
  LOG_LEVEL: Env.schema.string.optional(),
  TLS_CERTIFICATE: Env.schema.string(),
  TLS_KEY: Env.schema.string(),
  TLS_CLIENT_CA: Env.schema.string(),
  TLS_CLIENT_CRL: Env.schema.string.optional(),
  TLS_MIN_VERSION: Env.schema.string.optional(),
})
