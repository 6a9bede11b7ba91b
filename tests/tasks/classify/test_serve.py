"""The page in a real browser, served by the command."""

import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from archives import call, png
from browser import chromium, complaints, needs_chromium, requested, shot
from page_requests import answered, opened, upload
from PIL import Image
from seeds import pixels, write_image, write_seed
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from dawn import serve

DROP = """
const [text, name] = arguments, bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], name));
document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
"""


@contextmanager
def served(*args):
    """The address of a running server, which is interrupted in the end."""
    line = [sys.executable, "-m", "dawn.serve", "--port", "0", *map(str, args)]
    server = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )  # fmt: skip
    try:
        first = server.stdout.readline()
        yield re.match(r"(http://127\.0\.0\.1:\d+) serves", first)[1]
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
        server.stdout.close()
        server.stderr.close()


def text(driver, name):
    return driver.find_element(By.ID, name).text


def wait(driver, condition):
    WebDriverWait(driver, 30).until(lambda _: condition())


@needs_chromium
@pytest.mark.full
def test_an_image_is_classified_in_a_browser(data, tmp_path):
    seeds = [write_seed(tmp_path / f"seed-{n}", n) for n in range(2)]
    photo = write_image(tmp_path / "a photo.jpg", pixels(300, 500))
    with served("--model", *seeds, "--data", data) as address, chromium() as driver:
        driver.get(address)
        wait(driver, lambda: "3 classes" in text(driver, "about"))
        driver.find_element(By.ID, "file").send_keys(str(photo))
        wait(driver, lambda: len(driver.find_elements(By.CSS_SELECTOR, "#nearest img")) == 8)
        assert re.match(r"(red|green|blue) \(\d+\.\d %, ± \d+\.\d over 2 networks", text(driver, "answer"))
        assert len(driver.find_elements(By.CSS_SELECTOR, "#probabilities tbody tr")) == 3
        seen = driver.find_element(By.ID, "seen")
        assert driver.execute_script("return [arguments[0].naturalWidth, arguments[0].naturalHeight]", seen) == [32, 32]
        assert "among all 96 train images" in text(driver, "nearest-status")
        shot(driver, "serve-light")
        driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        )
        shot(driver, "serve-dark")
        assert complaints(driver) == []
        assert all(url.startswith((address, "blob:")) for url in requested(driver))


@needs_chromium
@pytest.mark.full
def test_the_page_is_used_by_keyboard_and_by_dropping_and_names_what_is_wrong(data, tmp_path):
    seed = write_seed(tmp_path / "seed-0")
    with served("--model", seed, "--data", data) as address, chromium() as driver:
        driver.get(address)
        wait(driver, lambda: driver.find_element(By.ID, "example").is_displayed())
        body = driver.find_element(By.TAG_NAME, "body")
        body.send_keys(Keys.TAB, Keys.TAB)
        assert driver.switch_to.active_element.get_attribute("id") == "example"
        driver.switch_to.active_element.send_keys(Keys.ENTER)
        wait(driver, lambda: text(driver, "status").startswith("test image"))
        driver.execute_script(DROP, "bm90IGFuIGltYWdl", "notes.png")
        wait(driver, lambda: "is no image of a known format" in text(driver, "error"))
        assert not driver.find_element(By.ID, "result").is_displayed()
        driver.set_window_size(380, 800)
        width = driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert width == 0
        shot(driver, "serve-narrow")


@pytest.mark.full
def test_what_cannot_be_served_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no data/ is
    seed = write_seed(tmp_path / "seed-0")
    with served("--model", seed, "--data", tmp_path) as address:
        port = address.rsplit(":")[-1]
        assert f"port {port}: Address already in use; choose another" in call(
            serve.main, "--model", seed, "--port", port
        )
    assert "--port 99999: a whole number from 0 to 65535" in call(serve.main, "--model", seed, "--port", 99999)
    assert "is not there" in call(serve.main, "--model", tmp_path / "none")


def peak(process):
    """The largest resident memory of a process so far, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@pytest.mark.full
def test_eight_large_images_at_once_take_the_memory_of_one(tmp_path):
    seed, photo = write_seed(tmp_path / "seed-0"), tmp_path / "large.png"
    Image.new("RGBA", (4000, 4000)).save(photo)  # 60 kB, and 64 MB when it is decoded
    with served("--model", seed, "--data", tmp_path) as address:
        port = int(address.rpartition(":")[2])
        listening = subprocess.run(["ss", "-ltnpH", f"sport = :{port}"], capture_output=True, text=True, check=True)
        process = int(listening.stdout.partition("pid=")[2].partition(",")[0])

        def send(content):
            with opened(port, upload(port, content)) as connection:
                return answered(connection)[0]

        def grown(number):
            with ThreadPoolExecutor(number) as pool:
                assert list(pool.map(send, [photo.read_bytes()] * number)) == [200] * number
            return peak(process) - before

        assert send(png(pixels())) == 200
        before = peak(process)
        one, eight = grown(1), grown(8)
    assert 60 < one < 600
    assert eight < 1.5 * one
