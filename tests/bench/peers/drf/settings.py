"""The settings of Django. The variable `PEER_DATABASE` contains the connection as JSON."""

import json
import os
from typing import Any, Final

DURABLE_SQLITE: Final[dict[str, Any]] = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
}
DURABLE_POSTGRESQL: Final[dict[str, Any]] = {"options": "-c synchronous_commit=on"}

CONNECTION: Final[dict[str, Any]] = json.loads(os.environ["PEER_DATABASE"])
IS_SQLITE: Final = CONNECTION["ENGINE"].endswith("sqlite3")

DATABASES: Final[dict[str, Any]] = {
    "default": CONNECTION
    | {
        "CONN_MAX_AGE": None,
        "OPTIONS": DURABLE_SQLITE if IS_SQLITE else DURABLE_POSTGRESQL,
    }
}
DEBUG = False
SECRET_KEY = "signs nothing, because the service has no sessions"
ALLOWED_HOSTS = ["bench"]
USE_TZ = True
USE_I18N = False
ROOT_URLCONF = "tests.bench.peers.drf.urls"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "tests.bench.peers.drf",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REST_FRAMEWORK: Final[dict[str, Any]] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tests.bench.peers.drf.authentication.ApiKeyAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
