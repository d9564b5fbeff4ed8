"""Generated requests, good and bad, against the generated document: no 500, no surprise.

Every operation is driven with data made from its own description, over real sockets.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from netvalve.api.operations import OPERATIONS

EXAMPLES = 40
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="session")
def description(sandbox):
    """The document as the gateway serves it."""
    return schemathesis.openapi.from_url(f"{sandbox.base_url}/openapi.json")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.operation_id)
def test_every_operation_answers_as_described(description, sandbox, operation, mode):
    described = description[operation.path][operation.method]

    @given(case=described.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    def answers_as_described(case):
        answer = case.call(base_url=sandbox.base_url, headers=sandbox.headers())
        case.validate_response(answer, checks=CHECKS)

    answers_as_described()
