"""The list of models, and one of them, in both vendors' packages."""

import anthropic
import openai

from support import ANTHROPIC_URL, INPUT, client, finish

ANTHROPIC = anthropic.Anthropic(base_url=ANTHROPIC_URL, api_key="sk-client-secret", max_retries=0, timeout=60)


def missing():
    try:
        client().models.retrieve("no-such-model")
    except openai.NotFoundError as error:
        return error.code
    return None


def missing_at_anthropic():
    try:
        ANTHROPIC.models.retrieve("no-such-model")
    except anthropic.NotFoundError as error:
        return error.body["error"]["type"]
    return None


def anthropics():
    return {
        "list": [model.id for model in ANTHROPIC.models.list(limit=1000)],
        "one": ANTHROPIC.models.retrieve(INPUT["model"]).to_dict(mode="json"),
        "missing": missing_at_anthropic(),
    }


finish(
    {
        "list": [model.id for model in client().models.list()],
        "one": client().models.retrieve(INPUT["model"]).to_dict(mode="json"),
        "missing": missing(),
        "anthropic": anthropics(),
    }
)
