"""pydantic-ai over chat completions."""

from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from loops import KEY
from support import INPUT
from with_pydantic_ai import play

play(lambda model: OpenAIChatModel(model, provider=OpenAIProvider(base_url=INPUT["base_url"], api_key=KEY)))
