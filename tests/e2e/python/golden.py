"""Sends the requests that come in, each a path and a JSON string, and says how the official packages took each answer."""

import gc
import json
import sys

import anthropic
import openai

import golden_anthropic
import golden_openai

HOW = golden_anthropic.HOW | golden_openai.HOW


def is_streamed(request):
    return isinstance(request, dict) and bool(request.get("stream"))


def outcome(path, request):
    try:
        # The packages have a query of their own, or none.
        path, _, _ = path.partition("?")
        return HOW[path][is_streamed(request)](request)
    except (anthropic.APIStatusError, openai.APIStatusError) as error:
        # An event in a stream whose status was that of an answer.
        return "stream error" if error.status_code == 200 else str(error.status_code)
    except (anthropic.APIError, openai.APIError):
        return "stream error"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# The collector would close what the packages have left open, maybe while they hold the lock that this takes.
gc.disable()
gc.freeze()
for line in sys.stdin:
    path, request = json.loads(line)
    print(json.dumps(outcome(path, json.loads(request))), flush=True)
    gc.collect()
