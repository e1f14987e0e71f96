"""The list of models, and one of them."""

import openai

from support import INPUT, client, finish


def missing():
    try:
        client().models.retrieve("no-such-model")
    except openai.NotFoundError as error:
        return error.code
    return None


finish(
    {
        "list": [model.id for model in client().models.list()],
        "one": client().models.retrieve(INPUT["model"]).to_dict(),
        "missing": missing(),
    }
)
