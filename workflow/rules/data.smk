"""From the archive to arrays and channel statistics."""

from urllib.parse import urlsplit

GENERATED = "resources/generated/demo-binary.tar.gz"
RESOURCES = os.path.normpath(f"{CHECKOUT}/resources")
ARCHIVE = f"{RESOURCES}/{Path(urlsplit(EXPERIMENT.data.urls[0]).path).name}"
SPLITS = ["train", "test", *(["holdout"] if EXPERIMENT.data.holdout else [])]
ARRAYS = expand("data/{split}_{part}.npy", split=SPLITS, part=["images", "labels"])

if any(os.path.realpath(url.removeprefix("file://")) == os.path.realpath(ARCHIVE) for url in EXPERIMENT.data.urls):
    raise WorkflowError(f"data.urls names {ARCHIVE}, which the download writes; move the file out of resources/")


rule demo_archive:
    input:
        code=code("demo_archive"),
    output:
        GENERATED,
    log:
        "logs/demo_archive.log",
    message:
        "Generate the demo's images"
    shell:
        "DAWN_LOG={log} python -m dawn.demo_archive --out {output}"


# An archive that is there and matches its checksum is kept, so the output is updated. The code is no cause, since the
# checksum proves the result.
rule download:
    input:
        local=[url for url in EXPERIMENT.data.urls if url == GENERATED],
    output:
        update(ARCHIVE),
    log:
        "logs/download.log",
    resources:
        shared=SHARED,  # no param: a study uses the archive of params.yaml without downloading it again
    params:
        cause=EXPERIMENT.text("data"),
    message:
        "Download {output}"
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
        shared=SHARED,
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
        "Compute channel means and standard deviations"
    shell:
        "DAWN_LOG={log} python -m dawn.stats --data data --out {output}"
