"""What the scripts share: their input, a client, and a way to print what they found."""

import json
import sys

INPUT = json.loads(sys.argv[1])
#: The same address as Anthropic's clients want it.
ANTHROPIC_URL = INPUT.get("base_url", "").removesuffix("/v1")


def client(**options):
    """A client of the gateway that does not retry, unless told to."""
    # Here, for scripts whose client is another one and whose packages lack it.
    import openai

    options.setdefault("max_retries", 0)
    return openai.OpenAI(base_url=INPUT["base_url"], api_key="sk-client-secret", timeout=60, **options)


def user(content):
    """A conversation of one user message."""
    return [{"role": "user", "content": content}]


def finish(found):
    """Prints the outcome for the Rust test to judge."""
    json.dump(found, sys.stdout)
