"""instructor: structured output by its methods, a round of tools that it asks for again, a stream."""

import instructor
from pydantic import field_validator

from loops import QUESTION, Trip, run
from support import client, user


def structured(mode):
    def ask(model):
        asking = instructor.from_openai(client(), mode=mode)
        answer = asking.create(model=model, messages=user(QUESTION), response_model=Trip, max_retries=0)
        return answer.model_dump()

    return ask


def asked_again(model):
    """An answer that is not valid goes back as the result of its tool call, with the reason."""
    seen = []

    class Checked(Trip):
        @field_validator("city")
        @classmethod
        def only_the_second_is_valid(cls, city):
            seen.append(city)
            if len(seen) == 1:
                raise ValueError("name another city")
            return city

    asking = instructor.from_openai(client(), mode=instructor.Mode.TOOLS)
    answer = asking.create(model=model, messages=user(QUESTION), response_model=Checked, max_retries=1)
    return {"asked": len(seen), **answer.model_dump()}


def stream(model):
    asking = instructor.from_openai(client(), mode=instructor.Mode.TOOLS)
    pieces = asking.create_partial(model=model, messages=user(QUESTION), response_model=Trip, max_retries=0)
    return [piece.model_dump() for piece in pieces][-1]


run(
    structured=structured(instructor.Mode.JSON_SCHEMA),
    structured_by_tool=structured(instructor.Mode.TOOLS),
    asked_again=asked_again,
    structured_streamed=stream,
)
