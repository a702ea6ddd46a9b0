"""Settings of the orders service. It has no database, no sessions and no templates, and signs nothing."""

DEBUG = False
# Callers tell which service this is by its certificate; no answer depends on the Host header.
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "orders.urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
