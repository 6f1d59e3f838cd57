"""The examples in secrets-core/tests/data, which Rust's own tests read too, and what is Python's own."""

import base64
import json
import pathlib
import unittest

import secrets_core

DATA = pathlib.Path(__file__).resolve().parents[4] / "secrets-core" / "tests" / "data"


def examples(file):
    found = json.loads((DATA / file).read_text(encoding="utf-8"))
    assert found
    return found


def member(example, name):
    text = example.get(name)
    return base64.b64decode(example[f"{name}_base64"]) if text is None else text.encode()


def redactor(example):
    secrets = example["secrets"]
    off = [secret["name"] for secret in secrets if secret.get("redaction") == "OFF"]
    return secrets_core.Redactor({secret["name"]: member(secret, "value") for secret in secrets}, redaction_off=off)


class Golden(unittest.TestCase):
    def test_judges_names(self):
        for example in examples("names.json"):
            with self.subTest(example["name"]):
                rules = {key: example[key] for key in ("name_policy", "target_kind") if key in example}
                self.assertEqual(secrets_core.validate_name(example["name"], **rules), example["verdict"])

    def test_reviews_documents(self):
        for example in examples("dotenv.json"):
            with self.subTest(example["about"]):
                review = secrets_core.review_dotenv(member(example, "document"), **example["rules"])
                self.assertEqual(review, example["review"])

    def test_explains(self):
        for example in examples("explain.json"):
            with self.subTest(example["about"]):
                self.assertEqual(secrets_core.explain(example["question"]), example["explanation"])

    def test_masks_in_pieces_of_any_size(self):
        for example in examples("redact.json"):
            with self.subTest(example["about"]):
                masks, text = redactor(example), member(example, "input")
                for size in range(1, len(text) + 1):
                    stream = masks.stream()
                    pieces = [stream.push(text[at : at + size]) for at in range(0, len(text), size)]
                    self.assertEqual(b"".join([*pieces, stream.finish()]), member(example, "output"))
                self.assertEqual(masks.redact(text), member(example, "output"))
                self.assertEqual(masks.unmasked, example["unmasked"])

    def test_streams(self):
        for example in examples("redact_stream.json"):
            with self.subTest(example["about"]):
                stream = redactor(example).stream()
                for step in example["steps"]:
                    if "push" in step:
                        output = stream.push(step["push"].encode())
                    else:
                        output = stream.pause() if "pause" in step else stream.finish()
                    self.assertEqual(output.decode(), step["output"])


class Python(unittest.TestCase):
    def test_takes_text_and_bytes_as_values(self):
        masks = secrets_core.Redactor({"A": "schlüssel", "B": b"\xff\xfe\xfd\xfc\xfb\xfa"})
        self.assertEqual(masks.redact("schlüssel ".encode() + b"\xff\xfe\xfd\xfc\xfb\xfa"), b"*** ***")
        self.assertEqual((masks.replacement, masks.is_empty), ("***", False))
        self.assertTrue(secrets_core.Redactor({}).is_empty)

    def test_says_how_much_is_held_back(self):
        stream = secrets_core.Redactor({"A": "lin_api_0123"}).stream()
        self.assertEqual((stream.push(b"key: lin_"), stream.held_back), (b"key: ", 4))

    def test_refuses_what_it_does_not_understand_and_never_repeats_a_value(self):
        for call in (
            lambda: secrets_core.validate_name("A", name_policy="LAX"),
            lambda: secrets_core.review_dotenv(b"", only=["a-b"]),
            lambda: secrets_core.review_dotenv(b"", existng={}),
            lambda: secrets_core.explain({"context": {"organization": "x"}, "now": 0, "candidates": []}),
            lambda: secrets_core.review_dotenv(b"", existing={"A": "4711"}),
            lambda: secrets_core.Redactor({"A": 4711471147}),
        ):
            with self.assertRaises(ValueError) as caught:
                call()
            self.assertNotIn("4711", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
