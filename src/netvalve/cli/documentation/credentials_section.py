"""The sandbox's credentials and accounts, as the page about the sandbox shows them."""

from netvalve.cli.documentation.markdown import code, table
from netvalve.cli.sandbox.merchant import sandbox_merchant


def credentials_section() -> str:
    """Two tables: what a request is authenticated with, and the accounts it may name."""
    merchant = sandbox_merchant("127.0.0.1", 8583)
    credentials = merchant.credentials
    fixed = (
        ("`netvalve-client-id`", code(merchant.client.netvalve_client_id)),
        ("`netvalve-api-key`", code(credentials.api_key)),
        ("Basic user name", code(credentials.basic_user)),
        ("Basic password", code(credentials.basic_password)),
        ("`siteId` (accounts 1 to 5)", code(merchant.site.site_id)),
    )
    accounts = (
        (
            code(str(account.mid_id)),
            account.name,
            account.currency,
            merchant.bank_of(account).name,
            merchant.purposes[account.mid_id],
        )
        for account in merchant.accounts
    )
    last = code(merchant.accounts[-1].netvalve_mid_id)
    return f"""These are public and open nothing but a sandbox.

{table(("What", "Value"), fixed)}
{table(("midId", "Name", "Currency", "Bank", "What it shows"), accounts)}
The `netvalveMidId` ends in the number of the account: {last} is account {len(merchant.accounts)}.
"""
