"""Write the model card of a finished run in the format of the Hugging Face Hub.

    python -m dawn.model_card --params results/params.yaml --metrics results/metrics.json
        --provenance results/provenance.json --out results/model-card.md results/seed-0 results/seed-1 ...

    snakemake model_card

To publish a model, upload the card as README.md next to model.safetensors. Its licence is submission.license.
"""

from pathlib import Path

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import write_text
from dawn.core.host import working_in
from dawn.report.page import Block, Bullets, Heading, Paragraph, markdown
from dawn.results.manifest import check
from dawn.results.run import Run
from dawn.tasks.classify.card import Card, confusions, front_matter, limits, results

USE = """## Use

```sh
python -m dawn.predict --model {seed} photo.jpg     # classes with probabilities
python -m dawn.serve --model {seed}                 # a page in the browser to drop images on
python -m dawn.export --model {seed}                # ONNX and torch.export's archive
```

model.safetensors holds the weights, and in its header (`dawn`, JSON) the classes, the settings and the preprocessing.

"""


def about(card: Card, name: str) -> list[Block]:
    """Describe the network."""
    metrics, (_, dataset) = card.metrics, card.dataset
    return [
        Heading(name, 1),
        Paragraph(
            f"An image classifier for {len(card.data['classes'])} classes: {', '.join(card.data['classes'][:20])}"
            f"{', ...' if len(card.data['classes']) > 20 else ''}. Trained on {dataset}; {metrics['parameters']:,} "
            f"parameters, {metrics['flops'] / 1e6:,.1f} MFLOP for an image."
        ),
    ]


def training(card: Card) -> list[Block]:
    """The data and the training, from the experiment and the first seed."""
    train, used, data = card.experiment.train, card.training, card.data
    counts = ", ".join(f"{n:,} {split}" for split, n in data["counts"].items())
    height, width = data["shape"][:2]
    return [
        Heading("Training"),
        Bullets(
            [
                f"data: {counts} images of {width} x {height} pixels; SHA-256 {data.get('sha256') or 'unknown'}",
                f"{train.epochs:g} epochs of batch {train.batch}, optimizer {train.optimizer}, schedule "
                f"{train.schedule.kind} with a peak learning rate of {train.schedule.peak:g}, "
                f"weight decay {train.weight_decay:g}",
                f"augmentation: {', '.join(f'{k} {v}' for k, v in train.augment.model_dump().items())}",
                f"{card.metrics['seconds']['mean']:,.1f} s on {used['processes']} x {used['device']}, "
                f"{used['precision']}",
                f"seeds: {', '.join(map(str, card.experiment.seeds))}; every setting: params.yaml of the run",
            ]
        ),
    ]


def origin(card: Card) -> list[Block]:
    """Code and packages."""
    code, packages = card.provenance["code"], card.provenance["packages"]
    commit = code["commit"] or "not in a git repository"
    items = [
        f"code: {commit}{', with uncommitted changes' if code['dirty'] else ''}",
        f"Python {card.provenance['python']}, torch {packages.get('torch', 'unknown')}",
        f"written {card.provenance['written']}",
    ]
    return [Heading("Provenance"), Bullets(items)]


def main() -> None:
    """Parse, gather, write."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics over the seeds, JSON")
    parser.add_argument("--provenance", type=Path, required=True, help="what the run came out of, JSON")
    cli.add_out(parser, "the card, Markdown")
    args = parser.parse_args()
    seeds: list[Path] = args.seeds
    experiment = load(args.params)
    if experiment.task != "classify":
        raise cli.InputError(f"{args.params}: a model card is of a classifier, and task = {experiment.task}")
    for seed in seeds:
        check(experiment, seed)
    run = Run.of_files(experiment, seeds, args.metrics, args.provenance)
    card = Card(experiment, run.metrics, run.provenance, run.trainings[0], run.evaluations)
    confused = confusions(seed / "confusion.csv" for seed in seeds)
    name = f"{card.experiment.model.family} on {card.dataset[1]}"
    use = USE.format(seed=Path(working_in(), seeds[0]))
    rest = markdown([*results(card), *limits(card, confused), *training(card), *origin(card)])
    write_text(args.out, f"{front_matter(card)}\n{markdown(about(card, name))}\n{use}{rest}")


if __name__ == "__main__":
    cli.run(main)
