from orders.tls import restrict


def ssl_context(config, default_ssl_context_factory):
    return restrict(default_ssl_context_factory())
