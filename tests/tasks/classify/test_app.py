"""The page's server: its answers, and the requests that it refuses."""

import base64
import io

import numpy as np
import pytest
import torch
from archives import png
from PIL import Image
from seeds import CLASSES, PREPROCESSING, pixels, write_seed
from torch.nn import functional

from dawn.core.cli import InputError
from dawn.tasks.classify.serving import app as serving
from dawn.tasks.classify.serving import neighbours
from dawn.tasks.classify.serving.app import HEADER, UPLOAD, application
from dawn.tasks.classify.serving.neighbours import Neighbours
from dawn.tasks.classify.serving.predictor import Predictor

CPU = torch.device("cpu")
BASE = "http://127.0.0.1:80"


@pytest.fixture
def seeds(tmp_path):
    return [write_seed(tmp_path / f"seed-{n}", n) for n in range(2)]


@pytest.fixture
def client(seeds, data):
    predictor = Predictor(seeds, CPU)
    app = application(predictor, Neighbours(predictor, data), np.load(data / "test_images.npy"))
    return app.test_client()


def post(client, path, content=None, name="image", headers=None):
    """Upload a file, the form written by hand, since a test client leaves its temporary files open."""
    content = png(pixels(32, 32)) if content is None else content
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\n\r\n'.encode()
    sent = {HEADER: "1", "Host": "127.0.0.1:80"} | (headers or {})
    body, kind = part + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
    return client.post(path, data=body, content_type=kind, base_url=BASE, headers=sent)


def get(client, path, **headers):
    return client.get(path, base_url=BASE, headers={"Host": "127.0.0.1:80"} | headers, buffered=True)


def decoded(url):
    head, _, body = url.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


def test_an_image_gets_its_classes_and_is_shown_as_the_network_sees_it(client, seeds):
    image = pixels(32, 32)
    answer = post(client, "/predict", png(image)).get_json()
    mean = Predictor(seeds, CPU).probabilities(image[None])[:, 0].mean(0)
    assert answer["class"] == CLASSES[int(mean.argmax())]
    assert dict(answer["probabilities"])["red"] == pytest.approx(float(mean[0]), abs=1e-6)
    assert answer["agreement"] in (0.5, 1.0)
    assert np.array_equal(decoded(answer["seen"]), image)


def test_the_nearest_train_image_of_a_train_image_is_itself(client, data):
    train = np.load(data / "train_images.npy")
    found = post(client, "/nearest", png(train[7])).get_json()["neighbours"]
    assert len(found) == serving.NEAREST
    assert found[0]["index"] == 7
    assert found[0]["similarity"] == pytest.approx(1, abs=1e-5)
    assert np.array_equal(decoded(found[0]["image"]), train[7])
    assert [one["similarity"] for one in found] == sorted((one["similarity"] for one in found), reverse=True)


def test_features_are_the_input_of_the_last_linear_layer(seeds, data):
    predictor = Predictor(seeds, CPU)
    images = np.load(data / "train_images.npy")[:3]
    net = predictor.members[0].net
    with torch.no_grad():
        expected = net[:-1](predictor.preprocessing.input(torch.tensor(images)))
    torch.testing.assert_close(Neighbours(predictor, data).features(images), functional.normalize(expected, dim=1))


def test_the_images_compared_are_bounded(seeds, data, monkeypatch):
    monkeypatch.setattr(neighbours, "MOST", 10)
    found = Neighbours(Predictor(seeds, CPU), data)
    assert len(found.places) == 10
    assert (found.places[0], found.places[-1]) == (0, 95)
    assert len(found.nearest(pixels(32, 32), 99)) == 10


def test_the_data_of_another_network_are_refused(seeds, data, tmp_path):
    for other in ({"classes": ["a", "b", "c"]}, {"preprocessing": {**PREPROCESSING, "size": 16}}):
        with pytest.raises(InputError, match=r"is not the data of .*name its directory with --data"):
            Neighbours(Predictor([write_seed(tmp_path / "other", **other)], CPU), data)


def test_the_page_and_its_files_are_closed_to_the_outside(client):
    for path in ("/", "/page/app.js", "/page/style.css", "/about", "/example/0", "/none"):
        answer = get(client, path)
        assert answer.status_code == (404 if path == "/none" else 200)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert b"http" not in get(client, "/").data.replace(b"http-equiv", b"")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1:81", "10.0.0.1:80", ""])
def test_another_host_is_refused(client, host):
    assert get(client, "/about", Host=host).status_code == 421


def test_another_site_is_refused(client):
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert post(client, "/predict", headers=headers).status_code == 403
    assert post(client, "/predict", headers={"Origin": "http://localhost:80"}).status_code == 200
    bare = client.post("/predict", base_url=BASE, headers={"Host": "127.0.0.1:80"}, data={})
    assert (bare.status_code, bare.get_json()["error"]) == (403, f"the header {HEADER} is missing; use the page, "
                                                            "or send it with any value")  # fmt: skip


@pytest.mark.parametrize(
    ("content", "name", "status", "reason"),
    [
        (b"<svg/>", "image", 400, "the file is no image of a known format"),
        (b"", "image", 400, "the file is no image of a known format"),
        (png(pixels())[:90], "image", 400, "the file is a damaged image"),
        (png(pixels()), "picture", 400, "the request has no file named image"),
        (bytes(UPLOAD + 1), "image", 413, "the upload is larger than 16 MiB"),
    ],
    ids=["svg", "empty", "cut", "name", "large"],
)
def test_a_bad_upload_is_refused_in_words(client, content, name, status, reason):
    for path in ("/predict", "/nearest"):
        answer = post(client, path, content, name)
        assert answer.status_code == status
        assert reason in answer.get_json()["error"]


def test_other_methods_and_examples_that_do_not_exist(client):
    assert get(client, "/predict").status_code == 405
    assert get(client, "/example/50").status_code == 404
    assert get(client, "/page/../app.py").status_code == 404


def test_without_data_there_are_no_neighbours(seeds):
    client = application(Predictor(seeds, CPU), None, None).test_client()
    assert get(client, "/about").get_json()["examples"] == 0
    answer = post(client, "/nearest")
    assert answer.status_code == 404
    assert "start with --data" in answer.get_json()["error"]
    assert get(client, "/example/0").status_code == 404
