"""Core's rules as data (`rules.json`)."""

import importlib.resources
import json

RULES = json.loads(importlib.resources.files(__package__).joinpath("rules.json").read_text())
