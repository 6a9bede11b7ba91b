"""The report of a reproduction: as data, and as a page."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dawn.report.numbers import DASH, count
from dawn.report.page import Block, Bullets, Heading, Paragraph, Table
from dawn.reproduction.differences import Difference
from dawn.reproduction.duration import Ratio
from dawn.reproduction.levels import NewSeed
from dawn.reproduction.publication import Publication
from dawn.reproduction.replay import Replay
from dawn.reproduction.spread import Spread
from dawn.reproduction.verdict import Answer

MARKS = {True: "equal", False: "differs", None: "not recorded"}


@dataclass(frozen=True)
class Report:
    """What a reproduction has shown.

    source    what was reproduced: a file or an address, and its SHA-256 if it is a file
    by, written, command, provenance   who, when, with what, on which machine
    code      whether the packed code is that of its commit
    costs     what was said of the cost
    seeds     the new ones with their values of the measure and their seconds
    """

    publication: Publication
    source: dict[str, str | None]
    margin: float
    by: str | None
    provenance: dict[str, Any]
    code: str
    differences: Sequence[Difference]
    costs: Sequence[str]
    replay: Replay | None
    seeds: Sequence[NewSeed]
    answer: Answer | None
    spread: Spread | None
    time: Ratio | None
    same_kind: bool

    @property
    def findings(self) -> list[str]:
        """What is wrong with the published result, in sentences, none twice."""
        shown = [self.spread.finding] if self.spread and self.spread.finding else []
        return [*self.publication.findings, *shown]

    @property
    def verdicts(self) -> list[str]:
        """The answers, in sentences."""
        answers = [part.text for part in (self.replay, self.answer) if part]
        return [*self.findings, *answers, *filter(None, [self.of_time])]

    @property
    def of_time(self) -> str:
        """What is said of the time of a training."""
        if self.time:
            return f"Time of a training: {self.time.text}"
        return "" if self.same_kind or not self.seeds else (
            f"Times are not compared: the published ones are of {self.publication.hardware or 'unknown hardware'}."
        )  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """The report as JSON."""
        of, replay = self.publication, self.replay
        return {
            "reproduces": self.source | {"name": of.name, "seeds": list(of.seeds), "measure": of.measure.key,
                                         "values": asdict(of.values), "commit": self.code, "extra": list(of.extra)},
            "by": self.by, **self.provenance,
            "margin": self.margin, "verdicts": self.verdicts, "findings": self.findings,
            "differences": [row._asdict() for row in self.differences], "cost": list(self.costs),
            "replay": replay and {"seed": replay.seed, "identical": replay.identical, "first": replay.first and
                                  replay.first.name, "places": [asdict(place) for place in replay.places]},
            "seeds": [row._asdict() for row in self.seeds],
            **{name: part and asdict(part) for name, part in (
                ("answer", self.answer), ("spread", self.spread), ("time", self.time))},
        }  # fmt: skip

    def page(self) -> list[Block]:
        """The report as a page."""
        of, measure = self.publication, self.publication.measure
        digits, values = measure.digits, self.publication.values
        spread = DASH if values.std is None else f"{values.std:.{digits}f}"
        blocks: list[Block] = [Heading(f"Reproduction of {of.name}", 1), *(Paragraph(text) for text in self.verdicts)]
        blocks.append(Bullets([
            f"published: {values.mean:.{digits}f}{measure.suffix} of {measure.name}, standard deviation {spread}, "
            f"{count(values.n, 'seed')}",
            f"equivalent is what differs by less than {self.margin:g}{measure.points}",
            f"by {self.by or 'an unnamed person'}, {self.provenance['written']}, with {self.provenance['command']}",
            f"source: {self.source['source']}, SHA-256 {self.source['sha256'] or 'unknown'}", self.code,
            *([of.remark] if of.remark else []),
            *([f"files that the crate does not describe: {', '.join(of.extra)}"] if of.extra else []),
            *self.costs,
        ]))  # fmt: skip
        if of.provenance:
            rows = [(row.what, row.published, row.here, "yes" if row.matters else "no") for row in self.differences]
            heads = ("what differs", "published", "here", "can change a number")
            blocks += [Heading("Differences"), Table(heads, rows) if rows else Paragraph("Nothing differs.")]
        if self.replay:
            places = [(place.name, MARKS[place.equal], place.text) for place in self.replay.places]
            blocks += [Heading(f"Seed {self.replay.seed} trained again"), Table(("place", "", "what"), places)]
        if self.seeds:
            new = [(str(seed), f"{value:.{digits}f}", f"{seconds:.1f}") for seed, value, seconds in self.seeds]
            blocks += [Heading("New seeds"), Table(("seed", measure.title, "seconds of training"), new)]
        return blocks
