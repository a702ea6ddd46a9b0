import emitter from '@adonisjs/core/services/emitter'

emitter.on('http:request_completed', ({ ctx: { logger, request, response } }) => {
  logger.info('%s %s %d', request.method(), request.url(), response.getStatus())
})
