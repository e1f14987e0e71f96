"""What scripts with other clients share: what they ask each model, and how they tell what came of it.

A script has a function for each loop, which takes the name of a model and returns an answer.
"""

import traceback
from typing import Annotated

from pydantic import BaseModel, Field

from support import INPUT, finish

#: The tools that the model is asked to call, and what it answers when it has their results.
CALL = "call get_weather and get_time"
#: What a stream is asked, and a question whose answer has a shape.
GREETING = "Hi there"
QUESTION = "Where to?"
KEY = "sk-client-secret"


class Trip(BaseModel):
    """A trip, with bounds as applications have them."""

    city: Annotated[str, Field(min_length=1, max_length=80)]
    days: Annotated[int, Field(ge=1, le=14)]
    tags: Annotated[list[str], Field(min_length=1, max_length=5)]


def get_weather(city: str) -> str:
    """Tells the weather in a city."""
    return f"get_weather of {city}"


def get_time(city: str) -> str:
    """Tells the time in a city."""
    return f"get_time of {city}"


def attempt(loop, model):
    try:
        return loop(model)
    except Exception as error:
        traceback.print_exc()
        return f"{type(error).__name__}: {error}"


def run(**loops):
    """Plays every loop with every model, and prints what came of each."""
    finish({model: {name: attempt(loop, model) for name, loop in loops.items()} for model in INPUT["models"]})
