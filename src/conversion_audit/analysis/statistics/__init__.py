"""Estimators and intervals that the chapters share, each held to a published number by a test."""

from conversion_audit.analysis.statistics.bounds import e_value, imbens_manski, rogan_gladen
from conversion_audit.analysis.statistics.comparisons import (
    MantelHaenszel,
    Parts,
    bh,
    kitagawa,
    mantel_haenszel,
    oaxaca,
    standardised,
    with_half,
)
from conversion_audit.analysis.statistics.durations import cumulative_incidence, kaplan_meier, logrank, median_time
from conversion_audit.analysis.statistics.planning import minimum_effect, sample_size
from conversion_audit.analysis.statistics.proportions import (
    VISITOR_SUMS,
    clopper_pearson,
    cluster_se,
    design_effect,
    difference,
    jeffreys,
    newcombe,
    ratio_se,
    repeat_effect,
    repeat_wilson,
    wilson,
)
from conversion_audit.analysis.statistics.shrinkage import beta_prior, james_stein, shrunken_rates
from conversion_audit.analysis.statistics.watch import cusum

__all__ = [
    "VISITOR_SUMS",
    "MantelHaenszel",
    "Parts",
    "beta_prior",
    "bh",
    "clopper_pearson",
    "cluster_se",
    "cumulative_incidence",
    "cusum",
    "design_effect",
    "difference",
    "e_value",
    "imbens_manski",
    "james_stein",
    "jeffreys",
    "kaplan_meier",
    "kitagawa",
    "logrank",
    "mantel_haenszel",
    "median_time",
    "minimum_effect",
    "newcombe",
    "oaxaca",
    "ratio_se",
    "repeat_effect",
    "repeat_wilson",
    "rogan_gladen",
    "sample_size",
    "shrunken_rates",
    "standardised",
    "wilson",
    "with_half",
]
