"""Clients that ask at other paths than /v1: Azure's, and those with a base URL of their own."""

import openai

from support import INPUT, finish, user

URL = INPUT["url"]
MODEL = INPUT["model"]


def chats(client):
    """A whole answer, a streamed one, and the model that the first is said to be from."""
    whole = client.chat.completions.create(model=MODEL, messages=user("Hi there"))
    chunks = client.chat.completions.create(model=MODEL, messages=user("Hi there"), stream=True)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return [whole.choices[0].message.content, streamed, whole.model]


def azure():
    return openai.AzureOpenAI(
        azure_endpoint=URL,
        api_key="azure-client-secret",
        api_version="2024-10-21",
        max_retries=0,
        timeout=60,
    )


def below(prefix):
    return openai.OpenAI(base_url=URL + prefix, api_key="sk-client-secret", max_retries=0, timeout=60)


def everything(client):
    """What other endpoints say."""
    answer = client.responses.create(model=MODEL, input="Hi there")
    names = [model.id for model in client.models.list()]
    return [answer.output_text, MODEL in names, client.models.retrieve(MODEL).id]


finish(
    {
        "azure": chats(azure()),
        "azure, the rest": everything(azure()),
        "below": {prefix: chats(below(prefix)) for prefix in INPUT["prefixes"]},
        "below, the rest": {prefix: everything(below(prefix)) for prefix in INPUT["prefixes"]},
    }
)
