"""The report opened in a real browser without a network: every figure is there, whole, and explained."""

import re
import subprocess
import time

import pytest
import workspace
from browser import chromium, complaints, needs_chromium, requested, shot
from conftest import ROOT
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = [pytest.mark.full, needs_chromium]
FIGURES = {
    "1 Result": {"the run on one page"},
    "2 Training": {
        "loss and accuracy by epoch", "learning rate and momentum", "time to the target", "learning-rate range test"
    },
    "3 Errors": {"calibration", "errors of each class", "confusion of the classes", "most confident mistakes"},
    "4 Images": {"first-layer filters", "training images"},
}  # fmt: skip


@pytest.fixture(scope="module")
def report(finished):
    """What `make report` calls at last, here with the small experiment."""
    style = finished.root / "workflow/report/style.css"
    path = finished.root / "report.html"
    line = ("plots", "results/lr_find.png", "seeds=[0, 1]", "lr_find={steps: 12}")
    for more in ((), ("--report", str(path), "--report-stylesheet", str(style))):
        run = finished.place.snakemake(*line, *more)
        assert run.returncode == 0, run.stderr
    return path


def rows(driver):
    """The results of the category that is open: the text of each and its two buttons."""
    found = driver.find_elements(By.CSS_SELECTOR, "tbody tr")
    return {row.find_element(By.TAG_NAME, "td").text: row.find_elements(By.TAG_NAME, "a") for row in found}


def click(driver, text):
    next(link for link in driver.find_elements(By.TAG_NAME, "a") if link.text.strip() == text).click()


def open_result(driver, name):
    """Open a result of the open category; it must be visible whole in the window."""
    rows(driver)[name][0].click()
    shown = WebDriverWait(driver, 20).until(
        lambda d: d.find_elements(By.CSS_SELECTOR, ".p-3 > img, iframe[src^='data:text/html']")
    )[0]
    if shown.tag_name == "iframe":
        driver.switch_to.frame(shown)
        assert "test accuracy over 2 seeds" in driver.find_element(By.TAG_NAME, "h1").text
        driver.switch_to.default_content()
        return
    WebDriverWait(driver, 20).until(lambda d: d.execute_script("return arguments[0].complete", shown))
    assert driver.execute_script("return arguments[0].naturalWidth", shown) > 300
    box = shown.rect
    assert box["height"] > 100
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= driver.execute_script("return window.innerHeight")


def explained(driver, name):
    """The caption that the second button shows."""
    rows(driver)[name][1].click()
    text = WebDriverWait(driver, 20).until(lambda d: d.find_element(By.TAG_NAME, "body").text)
    return text.partition("DESCRIPTION")[2].partition("SIZE")[0].strip()


def test_every_figure_opens_without_a_network(report):
    with chromium() as driver:
        driver.get(report.as_uri())
        WebDriverWait(driver, 30).until(lambda d: "RESULTS" in d.find_element(By.TAG_NAME, "body").text)
        assert "A seed is one training" in driver.find_element(By.TAG_NAME, "body").text
        shot(driver, "home")
        for category, names in FIGURES.items():
            driver.execute_script("app.setView({navbarMode: 'menu'})")
            time.sleep(0.2)
            click(driver, category)
            WebDriverWait(driver, 20).until(lambda d, n=names: set(rows(d)) == n)
            for name in sorted(names):
                open_result(driver, name)
                shot(driver, re.sub(r"\W+", "-", name))
                caption = explained(driver, name)
                assert len(caption) > 150, f"{name}: {caption}"
                driver.execute_script(f"app.showCategory({category!r})")
                WebDriverWait(driver, 20).until(lambda d, n=names: set(rows(d)) == n)
        assert complaints(driver) == []
        assert requested(driver) == []


def test_the_browser_reports_errors_and_requests(tmp_path):
    page = tmp_path / "bad.html"
    page.write_text("<script src='https://example.org/lib.js'></script><script>throw new Error('no')</script>")
    with chromium() as driver:
        driver.get(page.as_uri())
        assert any("Error: no" in line for line in complaints(driver))
        assert requested(driver) == ["https://example.org/lib.js"]


def test_make_report_does_the_same():
    shown = subprocess.run(
        ["make", "report", "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True,
        env=workspace.environment(),
    ).stdout  # fmt: skip
    assert "--report results/report.html" in shown
    assert "workflow/report/style.css" in shown
