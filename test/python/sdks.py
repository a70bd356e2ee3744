"""The official Python SDKs, unmodified, in front of vendors of every dialect: `npm run test:python` says where the gateway is."""

import json
import os
import unittest

import anthropic
import openai
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

URL = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]
MODELS = ("at-openai", "at-responses", "at-anthropic", "at-google")
SAYS = "Hi there, all well – grüß dich 👋."
PIXEL = os.environ["PIXEL"]
CITIES = [{"city": "Köln"}, {"city": "Bonn"}]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


class City(BaseModel):
    city: str


def weather(city: str) -> str:
    """The weather in a city."""
    return f"sun in {city}"


def each_model(test):
    """Runs what a test asserts for each model by itself."""

    def run(self):
        for model in MODELS:
            with self.subTest(model=model):
                test(self, model)

    return run


class OpenAIChat(unittest.TestCase):
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]

    def ask(self, model, content, **more):
        return {"model": model, "messages": [{"role": "user", "content": content}], **more}

    @each_model
    def test_whole(self, model):
        answer = self.client.chat.completions.create(**self.ask(model, "hello"))
        self.assertEqual(answer.choices[0].message.content, SAYS)
        self.assertEqual((answer.usage.prompt_tokens, answer.usage.completion_tokens), (11, 7))

    @each_model
    def test_stream(self, model):
        with self.client.chat.completions.stream(
            **self.ask(model, "hello"), stream_options={"include_usage": True}
        ) as stream:
            deltas = [event.delta for event in stream if event.type == "content.delta"]
            final = stream.get_final_completion()
        self.assertGreater(len(deltas), 3)
        self.assertEqual("".join(deltas), SAYS)
        self.assertEqual(final.usage.total_tokens, 18)

    @each_model
    def test_tools(self, model):
        asked = self.ask(model, "weather?", tools=self.tools)
        message = self.client.chat.completions.create(**asked).choices[0].message
        self.assertEqual([json.loads(call.function.arguments) for call in message.tool_calls], CITIES)
        with self.client.chat.completions.stream(**asked) as stream:
            calls = stream.get_final_completion().choices[0].message.tool_calls
        self.assertEqual([json.loads(call.function.arguments) for call in calls], CITIES)
        results = [{"role": "tool", "tool_call_id": call.id, "content": "sun"} for call in calls]
        told = [*asked["messages"], message, *results]
        final = self.client.chat.completions.create(model=model, messages=told, tools=self.tools)
        self.assertEqual(final.choices[0].message.content, "Sunny in both.")

    @each_model
    def test_structured_output_and_images(self, model):
        parsed = self.client.chat.completions.parse(**self.ask(model, "as json"), response_format=City)
        self.assertEqual(parsed.choices[0].message.parsed, City(city="Köln"))
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
        answer = self.client.chat.completions.create(**self.ask(model, [{"type": "text", "text": "hello"}, image]))
        self.assertEqual(answer.choices[0].message.content, SAYS)

    @each_model
    def test_errors(self, model):
        with self.assertRaises(openai.RateLimitError) as raised:
            self.client.chat.completions.create(**self.ask(model, "busy"))
        self.assertEqual(raised.exception.code, "upstream_rate_limited")
        with self.assertRaises(openai.AuthenticationError):
            self.client.with_options(api_key="hg_wrong").chat.completions.create(**self.ask(model, "hello"))

    def test_errors_of_no_model(self):
        with self.assertRaises(openai.NotFoundError):
            self.client.chat.completions.create(**self.ask("nobody", "hello"))

    @each_model
    def test_abort(self, model):
        stream = self.client.chat.completions.create(**self.ask(model, "stuck"), stream=True)
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
        stream.close()

    def test_embeddings_and_models(self):
        vectors = self.client.embeddings.create(model="vectors", input=["one", "two"])
        self.assertEqual([len(each.embedding) for each in vectors.data], [1536, 1536])
        self.assertIn("at-google", [model.id for model in self.client.models.list()])


class OpenAIResponses(unittest.TestCase):
    client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
    tools = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": True}]

    @each_model
    def test_whole_and_stream(self, model):
        answer = self.client.responses.create(model=model, input="hello", instructions="Be brief.")
        self.assertEqual((answer.output_text, answer.usage.input_tokens), (SAYS, 11))
        with self.client.responses.stream(model=model, input="hello") as stream:
            deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
        self.assertGreater(len(deltas), 2)
        self.assertEqual((final.output_text, final.usage.output_tokens), (SAYS, 7))

    @each_model
    def test_tools_and_structured_output(self, model):
        told = [{"role": "user", "content": "weather?"}]
        answer = self.client.responses.create(model=model, input=told, tools=self.tools)
        calls = [item for item in answer.output if item.type == "function_call"]
        self.assertEqual([json.loads(call.arguments) for call in calls], CITIES)
        told += [item.model_dump(exclude_none=True) for item in answer.output]
        told += [{"type": "function_call_output", "call_id": call.call_id, "output": "sun"} for call in calls]
        final = self.client.responses.create(model=model, input=told, tools=self.tools)
        self.assertEqual(final.output_text, "Sunny in both.")
        parsed = self.client.responses.parse(model=model, input="as json", text_format=City)
        self.assertEqual(parsed.output_parsed, City(city="Köln"))


class AnthropicMessages(unittest.TestCase):
    client = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)
    tools = [{"name": "weather", "description": "Of a city.", "input_schema": SCHEMA}]

    def ask(self, model, content, **more):
        return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": content}], **more}

    @each_model
    def test_whole_and_stream(self, model):
        answer = self.client.messages.create(**self.ask(model, "hello"))
        self.assertEqual((answer.content[0].text, answer.usage.input_tokens), (SAYS, 11))
        with self.client.messages.stream(**self.ask(model, "hello")) as stream:
            texts = list(stream.text_stream)
            final = stream.get_final_message()
        self.assertGreater(len(texts), 3)
        self.assertEqual("".join(texts), SAYS)
        self.assertEqual((final.usage.input_tokens, final.usage.output_tokens), (11, 7))

    @each_model
    def test_tools(self, model):
        asked = self.ask(model, "weather?", tools=self.tools)
        with self.client.messages.stream(**asked) as stream:
            message = stream.get_final_message()
        uses = [block for block in message.content if block.type == "tool_use"]
        self.assertEqual([block.input for block in uses], CITIES)
        results = [{"type": "tool_result", "tool_use_id": block.id, "content": "sun"} for block in uses]
        told = [*asked["messages"], {"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
        final = self.client.messages.create(model=model, max_tokens=100, messages=told, tools=self.tools)
        self.assertEqual(final.content[0].text, "Sunny in both.")
        runner = self.client.beta.messages.tool_runner(
            model=model, max_tokens=100, messages=asked["messages"], tools=[anthropic.beta_tool(weather)]
        )
        self.assertEqual(runner.until_done().content[0].text, "Sunny in both.")

    @each_model
    def test_structured_output_images_and_counts(self, model):
        parsed = self.client.messages.parse(**self.ask(model, "as json"), output_format=City)
        self.assertEqual(parsed.parsed_output, City(city="Köln"))
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
        answer = self.client.messages.create(**self.ask(model, [{"type": "text", "text": "hello"}, image]))
        self.assertEqual(answer.content[0].text, SAYS)
        counted = self.client.messages.count_tokens(model=model, messages=[{"role": "user", "content": "hello"}])
        self.assertGreater(counted.input_tokens, 2)

    @each_model
    def test_errors(self, model):
        with self.assertRaises(anthropic.RateLimitError):
            self.client.messages.create(**self.ask(model, "busy"))
        with self.assertRaises(anthropic.AuthenticationError):
            self.client.with_options(api_key="hg_wrong").messages.create(**self.ask(model, "hello"))

    def test_errors_of_no_model(self):
        with self.assertRaises(anthropic.NotFoundError):
            self.client.messages.create(**self.ask("nobody", "hello"))

    @each_model
    def test_abort(self, model):
        with self.client.messages.stream(**self.ask(model, "stuck")) as stream:
            next(iter(stream.text_stream))


class GoogleGenerateContent(unittest.TestCase):
    client = genai.Client(
        api_key=KEY,
        vertexai=False,
        http_options=types.HttpOptions(base_url=URL, retry_options=types.HttpRetryOptions(attempts=1)),
    )

    @each_model
    def test_whole_and_stream(self, model):
        answer = self.client.models.generate_content(model=model, contents="hello")
        self.assertEqual((answer.text, answer.usage_metadata.prompt_token_count), (SAYS, 11))
        chunks = list(self.client.models.generate_content_stream(model=model, contents="hello"))
        self.assertGreater(len(chunks), 3)
        self.assertEqual("".join(chunk.text or "" for chunk in chunks), SAYS)
        self.assertEqual(chunks[-1].usage_metadata.total_token_count, 18)

    @each_model
    def test_tools(self, model):
        chat = self.client.chats.create(model=model, config=types.GenerateContentConfig(tools=[weather]))
        self.assertEqual(chat.send_message("weather?").text, "Sunny in both.")
        declared = types.FunctionDeclaration(name="weather", parameters_json_schema=SCHEMA)
        config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])])
        answer = self.client.models.generate_content(model=model, contents="weather?", config=config)
        self.assertEqual([call.args for call in answer.function_calls], CITIES)

    @each_model
    def test_structured_output_images_chats_and_counts(self, model):
        config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=City)
        answer = self.client.models.generate_content(model=model, contents="as json", config=config)
        self.assertEqual(answer.parsed, City(city="Köln"))
        image = types.Part.from_bytes(data=b"\x89PNG\r\n\x1a\n", mime_type="image/png")
        answer = self.client.models.generate_content(model=model, contents=["hello", image])
        self.assertEqual(answer.text, SAYS)
        chat = self.client.chats.create(model=model)
        self.assertEqual(chat.send_message("hello").text, SAYS)
        self.assertEqual(chat.send_message("hello, once more").text, SAYS)
        self.assertGreater(self.client.models.count_tokens(model=model, contents="hello").total_tokens, 2)

    @each_model
    def test_errors(self, model):
        with self.assertRaises(errors.ClientError) as raised:
            self.client.models.generate_content(model=model, contents="busy")
        self.assertEqual((raised.exception.code, raised.exception.status), (429, "RESOURCE_EXHAUSTED"))

    def test_errors_of_no_model(self):
        with self.assertRaises(errors.ClientError) as raised:
            self.client.models.generate_content(model="nobody", contents="hello")
        self.assertEqual(raised.exception.code, 404)

    def test_embeddings(self):
        answer = self.client.models.embed_content(model="vectors", contents=["one", "two"])
        self.assertEqual([len(each.values) for each in answer.embeddings], [1536, 1536])


if __name__ == "__main__":
    unittest.main()
