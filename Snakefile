"""CIFAR-10 from its archive to a trained and evaluated network. Every setting is in params.yaml."""


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/site.smk"
include: "workflow/rules/hooks.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/pages.smk"
include: "workflow/rules/study.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/use.smk"
include: "workflow/rules/reproduce.smk"


rule all:
    default_target: True
    input:
        everything,
