"""Client of the secrets service."""

from .client import Client
from .error import SecretsError
from .reason import Reason
from .rules import BrokenRule

__all__ = ["BrokenRule", "Client", "Reason", "SecretsError"]
