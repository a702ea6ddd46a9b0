import { readFileSync } from 'node:fs'
import env from '#start/env'

const revoked = env.get('TLS_CLIENT_CRL')

export default {
  cert: readFileSync(env.get('TLS_CERTIFICATE')),
  key: readFileSync(env.get('TLS_KEY')),
  ca: readFileSync(env.get('TLS_CLIENT_CA')),
  crl: revoked && readFileSync(revoked),
  minVersion: `TLSv${env.get('TLS_MIN_VERSION', '1.2')}`,
  requestCert: true,
  rejectUnauthorized: true,
}
