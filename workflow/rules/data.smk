"""From the archive to arrays and channel statistics."""

from dawn.core.secrets import is_remote
from dawn.data.collection.tracking import file_list

# An experiment in a directory of its own shares the archive of params.yaml, which a checksum proves, and no other: one of
# the same name could be of other images.
PROOF = EXPERIMENT.data.sha256
SHARES = STAGE or (NAME and PROOF and PROOF == (read(ROOT / "params.yaml").get("data") or {}).get("sha256"))
RESOURCES = os.path.normpath(f"{CHECKOUT}/resources") if SHARES else "resources"
ARCHIVE = f"{RESOURCES}/{place.archive_name(EXPERIMENT.data.urls[0])}"
SPLITS = ["train", "test", *(["holdout"] if EXPERIMENT.data.holdout else [])]
ARRAYS = expand("data/{split}_{part}.npy", split=SPLITS, part=["images", "labels"])

# A folder of images is read where it is. Snakemake would only see the time of the folder itself.
FOLDER = next(filter(os.path.isdir, PATHS), None)
if FOLDER and EXPERIMENT.data.size is None:
    raise WorkflowError(
        f"data.urls names the folder {FOLDER}; set data.layout to folders and data.size to a size in pixels"
    )
if STAGE and any(redacted(url.whole) != url.whole for url in EXPERIMENT.data.urls):
    raise WorkflowError(
        f"data.urls has a secret ({EXPERIMENT.data.urls[0]}), which DVC would write into dvc.lock and into the commits of"
        " experiments: write ${NAME} in its place and set this variable in the environment (docs/compare.md)"
    )
if FOLDER and STAGE and EXPERIMENT.data.sha256 is None:
    raise WorkflowError(f"DVC does not see what changes in {FOLDER}; set data.sha256 (docs/tutorials/my-data.md)")

if any(os.path.realpath(path) == os.path.realpath(ARCHIVE) for path in PATHS):
    raise WorkflowError(f"data.urls names {ARCHIVE}, which the download writes; move the file out of resources/")


rule demo_archive:
    input:
        code=closure("demo_archive"),
    output:
        GENERATED,
    log:
        "logs/demo_archive.log",
    message:
        "Generate the demo's images"
    shell:
        "DAWN_LOG={log:q} python -m dawn.demo_archive --out {output:q}"


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
        cause=lambda wildcards: EXPERIMENT.text("data"),
        local=lambda wildcards: [url for url in ADDRESSES if not is_remote(url)],  # two files of one name look equal
    message:
        "Download {output}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.download --params {resources.shared:q}/params.yaml --out {output:q}"


rule arrays:
    input:
        code=closure("arrays"),
        archive=[] if FOLDER else ARCHIVE,
    output:
        ARRAYS,
        dataset="data/dataset.json",
        files="data/files.tsv",
        left_out="data/left_out.tsv",
    log:
        "logs/arrays.log",
    threads: 2
    resources:
        shared=SHARED,
        runtime=120,
    params:
        cause=lambda wildcards: EXPERIMENT.text("data"),
        files=lambda wildcards: file_list(FOLDER) if FOLDER else None,
        source=lambda wildcards, input: FOLDER or input.archive,
        local=lambda wildcards: FOLDER,
    message:
        "Read the images in {params.source}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.arrays --params {resources.shared:q}/params.yaml --source {params.source:q}"
        " --out data"


rule stats:
    input:
        ARRAYS,
        code=closure("stats"),
    output:
        "data/stats.json",
    log:
        "logs/stats.log",
    message:
        "Compute channel means and standard deviations"
    shell:
        "DAWN_LOG={log:q} python -m dawn.stats --data data --out {output:q}"
