"""From the archive to mapped arrays and channel statistics."""

from urllib.parse import urlsplit

GENERATED = "resources/generated/demo-binary.tar.gz"
RESOURCES = os.path.normpath(f"{HOME}/resources")
ARCHIVE = f"{RESOURCES}/{Path(urlsplit(EXPERIMENT.data.urls[0]).path).name}"
SPLITS = ["train", "test", *(["holdout"] if EXPERIMENT.data.holdout else [])]
ARRAYS = expand("data/{split}_{part}.npy", split=SPLITS, part=["images", "labels"])


rule demo_archive:
    input:
        code=code("demo_archive"),
    output:
        GENERATED,
    log:
        "logs/demo_archive.log",
    message:
        "Draw the demo's images"
    shell:
        "DAWN_LOG={log} python -m dawn.demo_archive --out {output}"


if any(os.path.realpath(url.removeprefix("file://")) == os.path.realpath(ARCHIVE) for url in EXPERIMENT.data.urls):
    raise WorkflowError(f"data.urls names {ARCHIVE}, where the archive is put; move the file out of resources/")


# What is there and right is kept, so the rule updates its output instead of making it anew. Its code is no cause:
# a checksum proves what it brings.
rule download:
    input:
        local=[url for url in EXPERIMENT.data.urls if url == GENERATED],
    output:
        update(ARCHIVE),
    log:
        "logs/download.log",
    resources:
        shared=HOME_RUN,  # a resource and no param: the same data by another way is no reason to fetch it again
    params:
        cause=EXPERIMENT.text("data"),
    message:
        "Fetch {output}"
    shell:
        "DAWN_LOG={log} python -m dawn.download --params {resources.shared}/params.yaml --out {output}"


rule arrays:
    input:
        code=code("arrays"),
        archive=ARCHIVE,
    output:
        ARRAYS,
        dataset="data/dataset.json",
    log:
        "logs/arrays.log",
    threads: 2
    resources:
        shared=HOME_RUN,
    params:
        cause=EXPERIMENT.text("data"),
        layout=EXPERIMENT.data.layout,
    message:
        "Unpack {input.archive}"
    shell:
        "DAWN_LOG={log} python -m dawn.arrays --params {resources.shared}/params.yaml --archive {input.archive}"
        " --layout {params.layout} --out data"


rule stats:
    input:
        ARRAYS,
        code=code("stats"),
    output:
        "data/stats.json",
    log:
        "logs/stats.log",
    message:
        "Measure the channels"
    shell:
        "DAWN_LOG={log} python -m dawn.stats --data data --out {output}"
