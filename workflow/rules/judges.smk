"""The judges of a GAN or CycleGAN, which train.smk and evaluate.smk train and evaluate."""


localrules:
    judges,


rule judges:
    input:
        [f"{JUDGE}/manifests/{seed}.json" for seed in JUDGES.seeds],


# What a rule reads that measures with the judges.
JUDGE_FILES = [f"{seed}/{file}" for seed in seeds(JUDGE) for file in ("model.safetensors", "evaluation.json")]
