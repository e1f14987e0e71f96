"""The exceptions that an application gets; the Rust test prepares one fault for each model."""

import openai

from support import INPUT, client, finish, user


def attempt(options, **request):
    try:
        answer = client(**options).chat.completions.create(**request)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in answer) if request.get(
            "stream"
        ) else answer.choices[0].message.content
        return {"answer": text}
    except openai.APIError as error:
        return {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "request_id": getattr(error, "request_id", None),
            "code": error.code,
            "type": error.type,
            "param": error.param,
            "message": error.message,
        }


def case(model, fields):
    request = {"model": model, "messages": user("Hi there"), **fields.get("request", {})}
    return attempt(fields.get("options", {}), **request)


finish([case(one["model"], one) for one in INPUT["cases"]])
