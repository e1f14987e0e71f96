"""What the scripts share: their input, a client, and a way to print what they found."""

import json
import sys

import openai

INPUT = json.loads(sys.argv[1])


def client(**options):
    """A client of the gateway that does not retry, unless told to."""
    options.setdefault("max_retries", 0)
    return openai.OpenAI(base_url=INPUT["base_url"], api_key="sk-client-secret", timeout=60, **options)


def user(content):
    """A conversation of one user message."""
    return [{"role": "user", "content": content}]


def finish(found):
    """Prints the outcome for the Rust test to judge."""
    json.dump(found, sys.stdout)
