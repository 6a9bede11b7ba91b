"""The documentation site in a browser: its colour toggle works on a page of each depth."""

import subprocess
import sys

import pytest
from browser import chromium, complaints, needs_chromium, requested
from conftest import ROOT


@pytest.mark.full
@needs_chromium
def test_the_colour_toggle_works(tmp_path):
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "-q", "--site-dir", tmp_path], cwd=ROOT, check=True)
    with chromium() as driver:
        for page in ("index.html", "tutorials/first-run.html"):
            driver.get((tmp_path / page).as_uri())
            for mode in ("dark", "light", "dark"):
                script = "document.querySelector(`[data-bs-theme-value=${arguments[0]}]`).click();"
                driver.execute_script(script, mode)
                assert driver.execute_script("return document.documentElement.dataset.bsTheme") == mode
                assert driver.execute_script("return localStorage.getItem('mkdocs-colormode')") == mode
            assert [line for line in complaints(driver) if "darkmode" in line or "TypeError" in line] == []
            assert requested(driver) == []
