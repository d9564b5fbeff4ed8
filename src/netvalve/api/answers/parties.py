"""Names that answers show beside a record: the account's, the bank's."""

from dataclasses import dataclass

from netvalve.domain.client import BankCapability, BankProfile, MerchantAccount, Permission
from netvalve.domain.directory import Directory


@dataclass(frozen=True, slots=True)
class Parties:
    """The account of a record and its bank; None where the directory has forgotten them."""

    account: MerchantAccount | None
    bank: BankProfile | None

    @classmethod
    def of(cls, directory: Directory, client_id: int, mid_id: int) -> "Parties":
        """Look both up."""
        account = directory.account(client_id, mid_id)
        return cls(account, directory.banks.get(account.bank_id) if account else None)

    @property
    def netvalve_mid_id(self) -> str | None:
        """The account's UUID."""
        return self.account.netvalve_mid_id if self.account else None

    @property
    def account_name(self) -> str | None:
        """The account's name."""
        return self.account.name if self.account else None

    @property
    def bank_name(self) -> str | None:
        """The bank's name."""
        return self.bank.name if self.bank else None

    @property
    def descriptor(self) -> str | None:
        """The account's own descriptor."""
        return self.account.descriptor if self.account else None

    @property
    def partial_refund_allowed(self) -> bool:
        """Whether account and bank both allow it."""
        if self.account is None or self.bank is None:
            return False
        return (
            Permission.PARTIAL_REFUND in self.account.permissions
            and BankCapability.PARTIAL_REFUND in self.bank.capabilities
        )
