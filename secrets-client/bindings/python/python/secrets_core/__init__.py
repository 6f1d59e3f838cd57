"""What the secrets service decides, decided here; see the types beside this file."""

from ._core import Redactor, RedactorStream, explain, review_dotenv, validate_name

__all__ = ["Redactor", "RedactorStream", "explain", "review_dotenv", "validate_name"]
