"""The reference page in a real browser: it reads, it links, and it pays.

Needs Chromium on the machine; `make test-browser` runs it.
"""

import shutil
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser():
    """One browser for the module."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, sandbox):
    """A page that has asked nobody but the gateway, and has complained of nothing."""
    page = browser.new_page(base_url=sandbox.base_url, viewport={"width": 1300, "height": 1200})
    hosts, complaints = set(), []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    page.close()
    assert {*hosts} - {""} == {urlsplit(sandbox.base_url).netloc}
    assert complaints == []


def authorize(page: Page, headers):
    """Give the page the sandbox's API key, as a reader would."""
    page.locator("button.authorize").first.click()
    for name, value in headers.items():
        box = page.locator(".auth-container", has_text=name).filter(has=page.locator("input"))
        box = box.filter(has_not_text="basic").first
        box.locator("input").fill(value)
        box.locator("button.authorize").click()
    page.locator(".btn-done").first.click()


def test_every_operation_is_listed(page):
    page.goto("/api")
    expect(page.locator(".opblock")).to_have_count(12)


def test_a_deep_link_of_the_contract_opens_its_operation(page):
    page.goto("/api#tag/Payment-Service/operation/captureOperation")
    opened = page.locator(".opblock.is-open")
    expect(opened).to_have_count(1)
    expect(opened).to_contain_text("/capture")
    expect(opened).to_be_in_viewport()
    assert page.url.endswith("/api#tag/Payment-Service/operation/captureOperation")


def test_a_sale_is_approved_from_the_page(page, sandbox):
    page.goto("/api#tag/Payment-Service/operation/saleOperation")
    expect(page.locator(".try-out__btn")).to_be_visible()
    authorize(page, sandbox.headers())
    page.locator(".try-out__btn").click()
    page.locator("button.execute").click()
    answer = page.locator(".live-responses-table .highlight-code").first
    expect(answer).to_contain_text("GTW_1000")
    expect(answer).to_contain_text("401200******5439")


def test_the_response_codes_are_shown(page):
    page.goto("/api/response-codes")
    expect(page.locator("body")).to_contain_text("Transaction Approved/ Request Successful.")
    expect(page.locator("body")).to_contain_text("GTW_2124")


def test_the_test_banks_admin_sets_and_clears_a_fault(page, sandbox, browser):
    page.goto("/api")
    admin = browser.new_page()
    admin.goto(sandbox.admin_url)
    expect(admin.locator("h1")).to_have_text("Test bank")
    admin.select_option("select[name=fault]", "twice")
    admin.locator("form", has=admin.locator("select[name=fault]")).locator("button").click()
    expect(admin.locator("body")).to_contain_text("twice")
    admin.close()
