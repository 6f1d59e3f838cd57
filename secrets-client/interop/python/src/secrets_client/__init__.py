"""Client of the secrets service.

    from secrets_client import Client

    with Client.from_environment() as client:
        subprocess.run(["agent"], env={**os.environ, **client.resolve()})
"""

from .client import Client
from .error import SecretsError
from .reason import Reason

__all__ = ["Client", "Reason", "SecretsError"]
