"""Verification results are explained where known, and kept where not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.catalogue.errors import CatalogueFileError
from netvalve.catalogue.tables import Source
from netvalve.catalogue.verification_results import (
    AVS_RESULTS,
    CVV2_RESULTS,
    VerificationResult,
    avs_result,
    cvv2_result,
    read_verification_results,
)


def test_address_result_is_explained() -> None:
    assert avs_result("Y").description == "Street address and five-digit postal code match"
    assert avs_result("N").description == "Neither street address nor postal code matches"


def test_security_code_result_is_explained() -> None:
    assert cvv2_result("M") == VerificationResult("M", "Match")
    assert cvv2_result("N") == VerificationResult("N", "No match")


def test_one_letter_means_different_things_in_the_two_tables() -> None:
    assert avs_result("P") != cvv2_result("P")


@given(st.text().filter(lambda code: code not in AVS_RESULTS and code not in CVV2_RESULTS))
def test_unknown_result_keeps_its_letter(code: str) -> None:
    assert avs_result(code) == VerificationResult(code, "Unknown")
    assert cvv2_result(code) == VerificationResult(code, "Unknown")


@pytest.mark.parametrize("line", ["YY,Match", "y,Match", "Y,", ",Match"])
def test_result_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(CatalogueFileError, match=r"results\.csv, line 2: "):
        read_verification_results(Source("results.csv", f"code,description\n{line}\n"))


def test_duplicate_result_is_refused_with_its_line() -> None:
    with pytest.raises(CatalogueFileError, match="line 3: code 'M' is already on line 2"):
        read_verification_results(Source("results.csv", "code,description\nM,Match\nM,No\n"))
