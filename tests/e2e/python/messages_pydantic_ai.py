"""pydantic-ai over Anthropic's Messages."""

from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider

from loops import KEY
from support import ANTHROPIC_URL
from with_pydantic_ai import play

# It knows the abilities of models by their names, and of others nothing.
ABLE = ModelProfile(supports_json_schema_output=True)


def chat(model):
    return AnthropicModel(model, provider=AnthropicProvider(base_url=ANTHROPIC_URL, api_key=KEY), profile=ABLE)


play(chat)
