import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from app.activity.models import Kind
from app.settings import ROOT
from app.web.help import titles
from app.web.openapi import operations_of
from tests.conftest import connect
from tests.contract.campaign import API, Campaign
from tests.contract.conftest import CAMPAIGN_ON_SQLITE

pytestmark = CAMPAIGN_ON_SQLITE

Json = dict[str, Any]
EMPTY = {"204", "304", "308"}


@pytest.fixture(scope="module")
def document(campaign: Campaign) -> Json:
    return json.loads(json.dumps(campaign.app.openapi()))  # type: ignore[no-any-return]


def walk(part: object) -> Iterator[Json]:
    """Every object in the document."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from walk(value)
    elif isinstance(part, list):
        for value in part:
            yield from walk(value)


def test_the_document_is_openapi_3_1_and_its_references_lead_somewhere(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Message Workshop"
    schemas = document["components"]["schemas"]
    references = {part["$ref"] for part in walk(document) if isinstance(part.get("$ref"), str)}
    assert references <= {f"#/components/schemas/{name}" for name in schemas}
    assert not {"HTTPValidationError", "ValidationError"} & schemas.keys()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_every_route_of_the_api_is_described(document: Json, campaign: Campaign) -> None:
    described = {(path, method) for path, method, _ in operations_of(document)}
    for route in iter_route_contexts(campaign.app.routes):
        if route.path and route.path.startswith(API):
            for method in route.methods or ():
                assert (route.path, method.lower()) in described


def test_every_operation_says_what_it_does_under_a_name_of_its_own(document: Json) -> None:
    names = [operation["operationId"] for _, _, operation in operations_of(document)]
    assert len(names) == len(set(names))
    for path, method, operation in operations_of(document):
        assert operation["description"].endswith("."), (path, method)
        assert len(operation["tags"]) == 1
        for name in {part.partition("}")[0] for part in path.split("{")[1:]}:
            assert any(it["name"] == name and it["in"] == "path" for it in operation["parameters"]), (path, name)


def test_every_answer_has_a_description_and_an_example(document: Json) -> None:
    for path, method, operation in operations_of(document):
        assert any(status.startswith("2") for status in operation["responses"])
        for status, response in operation["responses"].items():
            assert response["description"], (path, method, status)
            contents = response.get("content", {})
            assert contents or status in EMPTY, (path, method, status)
            for content in contents.values():
                assert "example" in content or content.get("examples"), (path, method, status)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert "example" in content


def test_nothing_is_left_to_be_guessed(document: Json) -> None:
    for path, method, operation in operations_of(document):
        assert operation["summary"]
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (path, method, parameter["name"])
            assert parameter.get("schema"), (path, method, parameter["name"])
            values = {"examples", "default", "enum", "$ref"}
            assert any(values & part.keys() for part in walk(parameter)), (path, method, parameter["name"])
        for status, response in operation["responses"].items():
            for name, header in response.get("headers", {}).items():
                assert header["description"], (path, method, status, name)
                assert header["schema"], (path, method, status, name)
            assert all(content.get("schema") for content in response.get("content", {}).values()), (
                path,
                method,
                status,
            )


def test_every_message_to_a_webhook_is_described_as_well(document: Json) -> None:
    for kind, methods in document["webhooks"].items():
        operation = methods["post"]
        assert operation["summary"], kind
        assert operation["description"].endswith("."), kind
        assert all(it["description"] and it["schema"] for it in operation["parameters"]), kind
        assert operation["requestBody"]["content"]["application/json"]["example"], kind
        assert [response["description"] for response in operation["responses"].values()], kind
    assert set(document["webhooks"]) == {*Kind, "webhook.test"}


def test_every_problem_named_has_a_help_page_and_fits_its_status(document: Json) -> None:
    for path, _, operation in operations_of(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"]
                for slug, example in response["content"]["application/problem+json"]["examples"].items():
                    assert titles()[slug][0] == int(status), (path, slug)
                    assert example["value"]["type"] == f"/problems/{slug}"


def test_what_follows_from_the_facts_is_declared(document: Json) -> None:
    for path, method, operation in operations_of(document):
        if not path.startswith(API):
            continue
        statuses = set(operation["responses"])
        assert {"400", "422", "500", "503"} <= statuses, "an unknown parameter is refused everywhere"
        if "requestBody" in operation:
            assert {"413", "415"} <= statuses, (path, method)
        if method != "get":
            assert "429" in statuses
        if {} not in operation["security"]:
            assert {"401", "403"} <= statuses, (path, method)
        if "{" in path:
            assert "404" in statuses, (path, method)
        if "201" in statuses:
            assert "Location" in operation["responses"]["201"]["headers"]


def test_what_answers_with_a_secret_says_that_a_repetition_gets_none(document: Json) -> None:
    found = []
    for path, method, operation in operations_of(document):
        answer = operation["responses"].get("201", operation["responses"].get("200", {}))
        example = answer.get("content", {}).get("application/json", {}).get("example")
        if isinstance(example, dict) and {"secret", "token"} & example.keys():
            problems = operation["responses"]["409"]["content"]["application/problem+json"]["examples"]
            assert "answer-held-a-secret" in problems, (path, method)
            found.append(path)
    assert len(found) == 3


def test_examples_fit_their_schemas(document: Json) -> None:
    schemas = document["components"]["schemas"]
    for path, method, operation in operations_of(document):
        contents = [operation.get("requestBody", {}).get("content", {}).get("application/json", {})]
        contents += [
            response.get("content", {}).get("application/json", {}) for response in operation["responses"].values()
        ]
        for content in contents:
            if "example" in content and "schema" in content:
                assert problems_with(content["example"], content["schema"], schemas) == [], (path, method)
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/problem+json", {})
            for slug, example in content.get("examples", {}).items():
                assert problems_with(example["value"], content["schema"], schemas) == [], (path, method, status, slug)


def problems_with(value: object, schema: Json, schemas: Json, place: str = "") -> list[str]:
    """Where a value does not fit a schema; the keywords that this program's models use."""
    if "$ref" in schema:
        return problems_with(value, schemas[schema["$ref"].rpartition("/")[2]], schemas, place)
    if "anyOf" in schema:
        fits = [problems_with(value, option, schemas, place) for option in schema["anyOf"]]
        return [] if [] in fits else [f"{place} fits nothing"]
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return [f"{place} is no {schema['type']}: {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place} is none of {schema['enum']}"]
    found = []
    if isinstance(value, dict) and "properties" in schema:
        found += [f"{place}/{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, part in value.items():
            if name in schema["properties"]:
                found += problems_with(part, schema["properties"][name], schemas, f"{place}/{name}")
            else:
                found.append(f"{place}/{name} is unknown")
    if isinstance(value, list) and "items" in schema:
        for part in value:
            found += problems_with(part, schema["items"], schemas, f"{place}/-")
    return found


@pytest.mark.anyio
async def test_the_docs_show_every_operation_without_a_script(campaign: Campaign, document: Json) -> None:
    async with connect(campaign.app) as client:
        page = await client.get("/docs")
        served = await client.get("/openapi.json")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.text.count("<script") == 1, "nothing but the entry that every page has"
    assert "://cdn" not in page.text
    assert "<code>type</code>" in page.text
    assert "`" not in page.text.partition("<main")[2], "marks of code are for the document"
    for path, method, operation in operations_of(document):
        assert f'id="{operation["operationId"]}"' in page.text
        assert f"<code>{method.upper()} {path}</code>" in page.text
    assert served.json() == document


def test_the_page_for_people_names_every_endpoint_and_no_other(document: Json) -> None:
    page = (ROOT / "docs/api.md").read_text()
    described = {(method.upper(), path) for path, method, _ in operations_of(document)}
    for method, path in described:
        assert f"`{method} {path}`" in page or f"`{method} {path}?" in page, (method, path)
    named = {
        (method, path.partition("?")[0]) for method, path in re.findall(r"`(GET|PUT|POST|PATCH|DELETE) (/[^`]*)`", page)
    }
    assert named <= described
    assert set(Kind) == set(re.findall(r"`(\w+\.\w+)`", page.partition("Kinds: ")[2].partition("\n\n")[0]))
