"""Authentication by an API key. The database contains only the digest of the key."""

from hashlib import sha256
from typing import override

from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from tests.bench.peers.drf.models import ApiKey, Office


def compute_digest(key: str) -> str:
    """Return the digest of an API key, as the database stores it."""
    return sha256(key.encode()).hexdigest()


class ApiKeyAuthentication(TokenAuthentication):
    """Token authentication that looks up an API key by its digest."""

    keyword = "Bearer"

    @override
    def authenticate_credentials(self, key: str) -> tuple[Office, ApiKey]:
        try:
            found = ApiKey.objects.select_related("office").get(digest=compute_digest(key))
        except ApiKey.DoesNotExist:
            raise AuthenticationFailed("The key is unknown.") from None
        return found.office, found
