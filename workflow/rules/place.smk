"""Where this run of Snakemake works: where it was called for params.yaml alone, else in experiments/NAME.

With --directory it works there, whatever its settings. What the first process decides, its jobs find in the environment.
"""

from snakemake.cli import get_argument_parser

from dawn.results.finished import evaluated, finished, require
from dawn.results.manifest import seed_number

if workflow.is_main_process or "DAWN_ORIGIN" not in os.environ:
    if workflow.overwrite_workdir is not None and "name" in CHOSEN:
        raise WorkflowError(
            f"name = {CHOSEN['name']} and --directory: give one of them, each names a directory of results"
        )
    try:
        FILES = () if workflow.overwrite_workdir is not None else map(Path, workflow.configfiles)
        NAME = place.name_of(CHOSEN.get("name"), FILES, ROOT / "params.yaml")
    except InputError as error:
        raise WorkflowError(describe(error)) from None
    # While the rules are read, Snakemake does not say what was asked for.
    ASKED = get_argument_parser().parse_args(sys.argv[1:]).targets if place.any_use(sys.argv) else []
    USES = "\n".join(ASKED) if place.only_uses(ASKED) else ""
    os.environ.update(DAWN_ORIGIN=os.getcwd(), DAWN_NAME=NAME, DAWN_USES=USES)
ORIGIN, NAME, USED = (os.environ.get(f"DAWN_{key}", "") for key in ("ORIGIN", "NAME", "USES"))
ORIGIN, USES = Path(ORIGIN), USED.splitlines()

PLACE = ORIGIN / place.folder(NAME)
WHERE = f"in {place.folder(NAME)}: " if NAME else ""  # where the paths of a message start


@contextmanager
def in_one_line():
    """Say in one line what is wrong with settings or with a file of a result that somebody has edited."""
    try:
        yield
    except InputError as error:
        raise WorkflowError(WHERE + describe(error)) from None


def here(key):
    """What the user gave: a path starts where snakemake was called, all else is a name."""
    given = CHOSEN.get(key, "")
    return os.path.relpath(ORIGIN / given) if given and NAME and (ORIGIN / given).exists() else given


def used(experiment):
    """The experiment that this run is about, and why what is asked for cannot be used.

    A target that uses results takes the finished experiment, whatever params.yaml says by now.
    """
    if not USES:
        return experiment, None
    if not PLACE.is_dir():
        return experiment, f"there is no experiment {NAME}"
    try:
        if not STUDY and not SEARCH:
            return finished(Path("results")), None
        last = Path(STUDY.directory, "table.csv") if STUDY else Path(SEARCH.directory, "page.md")
        if not last.is_file():
            raise InputError(f"{last.parent} is not finished")
        for slug, variant in STUDY.variants.items() if STUDY else ():
            run = Path(STUDY.directory, slug)
            require(run, variant.experiment, map(seed_number, evaluated(run)))
        return experiment, None
    except InputError as error:
        return experiment, f"{WHERE}{error}"
