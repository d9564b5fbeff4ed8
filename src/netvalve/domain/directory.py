"""The directory: every client, key, site, account and bank as of one moment, in memory.

A snapshot is never changed; a change in the store makes a new one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from netvalve.domain.client import ApiKey, BankProfile, BasicUser, Client, MerchantAccount, Site


@dataclass(frozen=True, slots=True)
class Directory:
    """Look-ups over one snapshot. What another client owns is as absent as what does not exist."""

    version: int
    clients: Mapping[int, Client]
    banks: Mapping[int, BankProfile]
    _accounts: Mapping[tuple[int, int], MerchantAccount]
    _accounts_by_uuid: Mapping[tuple[int, str], MerchantAccount]
    _sites: Mapping[tuple[int, str], tuple[MerchantAccount, ...]]
    site_names: Mapping[str, str]
    api_keys: Mapping[bytes, ApiKey] = field(repr=False)
    basic_users: Mapping[str, BasicUser] = field(repr=False)

    @classmethod
    def of(
        cls,
        version: int,
        *,
        clients: Iterable[Client] = (),
        sites: Iterable[Site] = (),
        banks: Iterable[BankProfile] = (),
        accounts: Iterable[MerchantAccount] = (),
        api_keys: Iterable[ApiKey] = (),
        basic_users: Iterable[BasicUser] = (),
    ) -> "Directory":
        """Index one snapshot of the configuration."""
        in_order = sorted(accounts, key=lambda account: account.mid_id)
        sites = tuple(sites)
        return cls(
            version=version,
            clients={client.client_id: client for client in clients},
            banks={bank.bank_id: bank for bank in banks},
            _accounts={(each.client_id, each.mid_id): each for each in in_order},
            _accounts_by_uuid={
                (each.client_id, each.netvalve_mid_id.lower()): each for each in in_order
            },
            _sites={
                (site.client_id, site.site_id.lower()): tuple(
                    each
                    for each in in_order
                    if each.client_id == site.client_id and each.site_id == site.site_id
                )
                for site in sites
            },
            site_names={site.site_id: site.name for site in sites},
            api_keys={key.digest: key for key in api_keys},
            basic_users={user.user_name: user for user in basic_users},
        )

    def client(self, client_id: int) -> Client | None:
        """The client, enabled or not."""
        return self.clients.get(client_id)

    def account(self, client_id: int, mid_id: int) -> MerchantAccount | None:
        """The client's account by its number."""
        return self._accounts.get((client_id, mid_id))

    def account_by_uuid(self, client_id: int, netvalve_mid_id: str) -> MerchantAccount | None:
        """The client's account by its UUID, in any case of letters."""
        return self._accounts_by_uuid.get((client_id, netvalve_mid_id.lower()))

    def site_accounts(self, client_id: int, site_id: str) -> tuple[MerchantAccount, ...] | None:
        """The accounts of the client's site in the order of their numbers; None: no such site."""
        return self._sites.get((client_id, site_id.lower()))

    def bank_of(self, account: MerchantAccount) -> BankProfile:
        """The bank an account belongs to."""
        return self.banks[account.bank_id]
