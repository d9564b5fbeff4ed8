"""What a bank may say of itself: only that a message never reached it."""

from dataclasses import replace

import pytest

from making import BANK
from netvalve.catalogue.response_codes import RESPONSE_CODES, CodeType
from netvalve.storage.account_rules import UNREACHABLE_CODES, AdministrationError, check_bank


@pytest.mark.parametrize("code", sorted(RESPONSE_CODES))
def test_only_a_bank_s_own_failure_names_a_message_that_was_not_sent(code: str) -> None:
    bank = replace(BANK, unreachable_code=code)
    if code in UNREACHABLE_CODES:
        check_bank(bank)
        assert RESPONSE_CODES[code].type is CodeType.SOFT_DECLINE
    else:
        with pytest.raises(AdministrationError, match=code):
            check_bank(bank)
