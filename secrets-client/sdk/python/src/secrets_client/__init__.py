"""Client of the secrets service."""

from .client import Client
from .error import SecretsError
from .reason import Reason

__all__ = ["Client", "Reason", "SecretsError"]
