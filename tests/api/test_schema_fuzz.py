"""Generated requests, good and bad, against the generated document: no 500, no surprise.

Every operation is driven with data made from its own description, over real sockets.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)


@pytest.fixture(scope="session")
def description(sandbox):
    """The document as the gateway serves it."""
    return schemathesis.openapi.from_url(f"{sandbox.base_url}/openapi.json")


schema = schemathesis.pytest.from_fixture("description")


@schema.parametrize()
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
def test_every_operation_answers_as_described(case, sandbox):
    answer = case.call(base_url=sandbox.base_url, headers=sandbox.headers())
    case.validate_response(
        answer,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
    assert answer.elapsed < 3
