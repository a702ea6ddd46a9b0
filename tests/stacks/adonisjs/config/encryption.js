import { randomBytes } from 'node:crypto'
import { defineConfig, drivers } from '@adonisjs/core/encryption'

// AdonisJS wants a key for cookies and signed URLs. This service has neither, so that the key need not outlive it.
export default defineConfig({
  default: 'gcm',
  list: { gcm: drivers.aes256gcm({ id: 'gcm', keys: [randomBytes(32).toString('base64')] }) },
})
