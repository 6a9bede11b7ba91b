"""What git knows of a checkout. It answers for the repository that the checkout belongs to, and for no other."""

import os
from pathlib import Path

from dawn.core.host import answer

# By these git would answer for another repository, or another index, than those of the directory it is called in.
ELSEWHERE = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
)  # fmt: skip
# Settings are in each result, so a change of theirs is no change of the code. DVC writes its files itself.
NOT_CODE = (
    "params.yaml", "dvc.lock", "dvc.yaml", ".dvc", "docs/measurements", "workflow/presets", "workflow/studies",
    "workflow/searches",
)  # fmt: skip


def git(root: Path, *words: str) -> str | None:
    """Return what git prints of the checkout at ``root``; None without git, or in a copy inside another repository."""
    return _git(root, *words) if _is_own(root) else None


def revision(root: Path) -> tuple[str | None, str | None]:
    """Return the commit of the checkout, and its changed files but ``NOT_CODE`` as ``git status`` lists them."""
    if not _is_own(root):
        return None, None
    others = [f":(exclude){path}" for path in NOT_CODE]
    changed = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", ".", *others)
    return _git(root, "rev-parse", "--verify", "HEAD"), changed


def _is_own(root: Path) -> bool:
    """Return whether git answers for the checkout, and not for another repository that a copy of it lies in."""
    inside = _git(root, "rev-parse", "--show-prefix")
    return inside is not None and (not inside or _git(root, "ls-files", "--error-unmatch", "Snakefile") is not None)


def _git(root: Path, *words: str) -> str | None:
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    return answer("git", "--no-optional-locks", *words, at=root, env=kept)
