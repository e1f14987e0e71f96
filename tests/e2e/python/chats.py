"""Plain and streamed chats, written as in an application."""

import asyncio

import openai

from support import INPUT, client, finish, user

MODEL = INPUT["model"]


def plain():
    answer = client().chat.completions.create(model=MODEL, messages=user("Hi there"))
    return answer.to_dict()


def stream():
    chunks = client().chat.completions.create(model=MODEL, messages=user("Hi there"), stream=True)
    return [chunk.to_dict() for chunk in chunks]


def stream_with_usage():
    chunks = client().chat.completions.create(
        model=MODEL,
        messages=user("Hi there"),
        stream=True,
        stream_options={"include_usage": True},
    )
    return [chunk.to_dict() for chunk in chunks]


def helper_stream():
    """The package's own accumulator, which is picky about what it is fed."""
    with client().chat.completions.stream(model=MODEL, messages=user("Hi there")) as events:
        for _ in events:
            pass
        return events.get_final_completion().to_dict()


def conversation():
    answer = client().chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": "Two"},
            {"role": "user", "content": "Three END four"},
        ],
        stop=["END"],
        temperature=0.2,
        user="end-user-1",
    )
    return answer.choices[0].to_dict()


def image():
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": INPUT["image"]}},
    ]
    answer = client().chat.completions.create(model=MODEL, messages=user(content))
    return answer.choices[0].message.content


def limited():
    answer = client().chat.completions.create(
        model=MODEL, messages=user("one two three four"), max_completion_tokens=3
    )
    return answer.choices[0].to_dict()


async def concurrent():
    """Ten chats at once on one connection pool."""
    async with openai.AsyncOpenAI(
        base_url=INPUT["base_url"], api_key="sk-client-secret", timeout=60
    ) as chats:
        calls = [
            chats.chat.completions.create(model=MODEL, messages=user(f"number {n}"))
            for n in range(10)
        ]
        answers = await asyncio.gather(*calls)
        return [answer.choices[0].message.content for answer in answers]


finish(
    {
        "plain": plain(),
        "stream": stream(),
        "stream_with_usage": stream_with_usage(),
        "helper_stream": helper_stream(),
        "conversation": conversation(),
        "image": image(),
        "limited": limited(),
        "concurrent": asyncio.run(concurrent()),
    }
)
