import { createServer } from 'node:https'
import { Ignitor, prettyPrintError } from '@adonisjs/core'

const root = new URL('../', import.meta.url)
const importer = (path) => import(path.startsWith('.') ? new URL(path, root).href : path)
const ignitor = new Ignitor(root, { importer })

ignitor
  .tap((app) => {
    app.initiating(() => import('#start/env'))
    app.listen('SIGTERM', () => app.terminate())
  })
  .httpServer()
  .start((handle) => createServer(ignitor.getApp().config.get('tls'), handle))
  .catch((error) => {
    process.exitCode = 1
    prettyPrintError(error)
  })
