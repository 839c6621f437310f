"""The error of this package: data about models that cannot be read, or must not be written."""

from __future__ import annotations

from headrace.errors import ConfigurationError


class ProfileError(ConfigurationError):
    """A profile file, an augmentation or a download is not what it should be; nothing changed."""
