"""Modules that are loaded when something of them is first used.

What most runs never reach (a diff, a logger, JSON's compiled reader before any tool was called)
took three fifths of the CPU time of importing messages and runnables.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any


class Deferred:
    """Stands for a module: the first use of a name loads it, later ones find the name here."""

    def __init__(self, module: str) -> None:
        self.__name__ = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self.__name__), name)
        setattr(self, name, value)
        return value


if TYPE_CHECKING:
    import difflib as difflib
    import html as html
    import logging as logging
    import random as random
    import tempfile as tempfile
    import uuid as uuid
    from importlib import metadata as metadata
    from importlib import resources as resources
    from xml.parsers import expat as expat

    import pydantic_core as pydantic_core
    from pydantic import root_model as root_model
    from pydantic_core import core_schema as core_schema
else:
    difflib, html, logging = Deferred("difflib"), Deferred("html"), Deferred("logging")
    random, uuid, tempfile = Deferred("random"), Deferred("uuid"), Deferred("tempfile")
    expat = Deferred("xml.parsers.expat")
    metadata, resources = Deferred("importlib.metadata"), Deferred("importlib.resources")
    # Makes a model, before which pydantic looks for plugins among all that is installed.
    root_model = Deferred("pydantic.root_model")
    pydantic_core, core_schema = Deferred("pydantic_core"), Deferred("pydantic_core.core_schema")
