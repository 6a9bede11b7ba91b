"""The page of `dvc plots`, rendered by a real browser without a network."""

import json

import dvc_project
import pytest
from browser import chromium, complaints, needs_chromium, requested, shot
from conftest import ROOT, step
from finished import Finished
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from dawn.core.cli import InputError
from dawn.plots_template import bundled, page


def test_the_template_has_the_scripts_and_their_licenses_inside():
    scripts = bundled()
    text = page(scripts)
    assert text.count("<script>") == len(scripts) == 3
    assert "src=" not in text.partition("<script>")[0]
    for code, license in scripts.values():
        assert "Redistribution and use in source and binary forms" in license
        assert license in text
        assert code in text
    assert text.count("{plot_divs}") == text.count("{refresh_tag}") == 1
    with pytest.raises(InputError, match="cannot be embedded in a page"):
        page({"x": ("document.write('</script>')", "")})


def test_make_env_writes_it_where_the_config_says():
    assert "python -m dawn.plots_template --out .dvc/plots.html" in (ROOT / "Makefile").read_text()
    assert "html_template = plots.html" in (ROOT / ".dvc/config").read_text()
    assert "/plots.html" in (ROOT / ".dvc/.gitignore").read_text()


@needs_chromium
@pytest.mark.full
def test_the_plots_of_a_run_are_drawn_offline(finished: Finished):
    project = dvc_project.Project(finished.root)
    project.git("init", "--quiet")
    assert step("plots_template", "--out", finished.root / ".dvc/plots.html").returncode == 0
    wanted = json.loads(project.dvc("plots", "show", "--json", "--out", "unused").splitlines()[-1])["data"]
    project.dvc("plots", "show", "--out", "plots_page")
    with chromium() as driver:
        driver.get((finished.root / "plots_page/index.html").as_uri())
        drawn = WebDriverWait(driver, 60).until(
            lambda d: (
                (found := d.find_elements(By.CSS_SELECTOR, "canvas, svg.marks")) and len(found) >= len(wanted) and found
            )
        )
        assert {"accuracy", "loss", "learning_rate", "momentum", "confusion", "classes"} <= set(wanted)
        for canvas in drawn:
            assert canvas.size["width"] > 100
            ink = "const c=arguments[0];return new Set(c.getContext('2d').getImageData(0,0,c.width,c.height).data).size"
            assert driver.execute_script(ink, canvas) > 10
        shot(driver, "dvc-plots")
        assert complaints(driver) == []
        assert requested(driver) == []
