"""Made-up rows in the shape of the Bank Marketing data, for workspaces without a network.

Every row is drawn from a seeded generator: no customer stands behind any of them. What is
imitated are the columns, how their values are spread, and what drives the answer: how long
the call lasted, the state of the economy that month, and whether an earlier campaign
succeeded. What a model learns here says nothing about any bank.

Source: the shares and monthly indicators follow S. Moro, P. Cortez, P. Rita, *A data-driven
approach to predict the success of bank telemarketing*, Decision Support Systems 62, 2014.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Values = npt.NDArray[np.float64]

ROW_COUNT = 32_950
SEED = 20_081
NEVER = 999  # pdays of a customer who was not contacted before

# One line per month of the campaign: month, employment variation, consumer prices, consumer
# confidence, employees in thousands, Euribor from and to, weight, willingness (log odds),
# share of calls to mobiles, share of customers contacted before, share of those who agreed.
MONTHS = (
    ("may", 1.1, 93.994, -36.4, 5191.0, 4.855, 4.864, 6210, -1.35, 0.00, 0.00, 0.0),
    ("jun", 1.4, 94.465, -41.8, 5228.1, 4.864, 4.967, 3474, -0.80, 0.00, 0.00, 0.0),
    ("jul", 1.4, 93.918, -42.7, 5228.1, 4.955, 4.968, 5364, -0.75, 0.85, 0.00, 0.0),
    ("aug", 1.4, 93.444, -36.1, 5228.1, 4.962, 4.970, 4089, -0.70, 0.97, 0.00, 0.0),
    ("oct", -0.1, 93.798, -40.4, 5195.8, 4.760, 5.045, 53, 2.80, 0.00, 0.04, 0.0),
    ("nov", -0.1, 93.200, -42.0, 5195.8, 3.853, 4.733, 2907, -0.55, 0.90, 0.20, 0.03),
    ("mar", -1.8, 92.843, -50.0, 5099.1, 1.510, 1.811, 212, 2.70, 0.93, 0.08, 0.03),
    ("apr", -1.8, 93.075, -47.1, 5099.1, 1.365, 1.498, 1966, 0.55, 0.93, 0.27, 0.08),
    ("may", -1.8, 92.893, -46.2, 5099.1, 1.244, 1.354, 4687, -0.40, 0.92, 0.33, 0.06),
    ("jun", -2.9, 92.963, -40.8, 5076.2, 1.099, 1.286, 595, 2.00, 0.91, 0.26, 0.35),
    ("jul", -2.9, 92.469, -33.6, 5076.2, 0.899, 1.085, 140, 1.90, 0.86, 0.24, 0.35),
    ("aug", -2.9, 92.201, -31.4, 5076.2, 0.821, 0.884, 613, 1.70, 0.91, 0.43, 0.45),
    ("sep", -3.4, 92.379, -29.8, 5017.5, 0.739, 0.819, 214, 2.00, 0.89, 0.43, 0.50),
    ("oct", -3.4, 92.431, -26.9, 5017.5, 0.720, 0.754, 354, 1.95, 0.88, 0.39, 0.42),
    ("nov", -3.4, 92.649, -30.1, 5017.5, 0.714, 0.722, 286, 2.20, 0.86, 0.53, 0.58),
    ("dec", -3.0, 92.713, -33.0, 5023.5, 0.700, 0.721, 136, 2.10, 0.85, 0.53, 0.55),
    ("mar", -1.8, 93.369, -34.8, 5008.7, 0.634, 0.655, 209, 2.60, 0.84, 0.62, 0.55),
    ("apr", -1.8, 93.749, -34.6, 5008.7, 0.635, 0.663, 142, 2.55, 0.87, 0.52, 0.52),
    ("may", -1.8, 93.876, -40.0, 5008.7, 0.668, 0.701, 176, 2.30, 0.82, 0.64, 0.62),
    ("jun", -1.7, 94.055, -39.8, 4991.6, 0.702, 0.767, 182, 2.10, 0.73, 0.57, 0.66),
    ("jul", -1.7, 94.215, -40.3, 4991.6, 0.782, 0.899, 249, 2.50, 0.80, 0.59, 0.59),
    ("aug", -1.7, 94.027, -38.3, 4991.6, 0.886, 0.905, 180, 2.30, 0.75, 0.59, 0.60),
    ("sep", -1.1, 94.199, -37.5, 4963.6, 0.876, 0.886, 239, 2.25, 0.81, 0.58, 0.61),
    ("oct", -1.1, 94.601, -49.5, 4963.6, 0.942, 1.045, 162, 2.00, 0.83, 0.64, 0.64),
    ("nov", -1.1, 94.767, -50.8, 4963.6, 1.028, 1.050, 103, 2.05, 0.90, 0.64, 0.61),
)

SCHOOLS = (
    "basic.4y",
    "basic.6y",
    "basic.9y",
    "high.school",
    "illiterate",
    "professional.course",
    "university.degree",
    "unknown",
)

# Job: weight, mean and spread of the age, willingness, weights of SCHOOLS in order.
JOBS = {
    "admin.": (8339, 38, 8.5, 0.10, (9, 14, 49, 319, 0, 35, 550, 24)),
    "blue-collar": (7356, 39.5, 9, -0.15, (250, 155, 395, 95, 1, 49, 10, 45)),
    "technician": (5426, 38.5, 8.5, 0.0, (9, 13, 57, 130, 0, 492, 268, 31)),
    "services": (3161, 38, 9, -0.1, (33, 57, 98, 676, 0, 55, 44, 37)),
    "management": (2343, 42.5, 9, 0.0, (34, 29, 57, 102, 0, 30, 706, 42)),
    "retired": (1388, 62, 10.5, 0.5, (347, 44, 85, 161, 2, 141, 166, 54)),
    "entrepreneur": (1193, 41.5, 9, -0.1, (94, 49, 144, 160, 1, 93, 419, 40)),
    "self-employed": (1140, 40, 9.5, 0.0, (65, 18, 155, 83, 2, 119, 538, 20)),
    "housemaid": (854, 45.5, 11, 0.0, (447, 73, 89, 164, 1, 56, 131, 39)),
    "unemployed": (793, 40, 9.5, 0.1, (110, 34, 184, 255, 0, 140, 259, 18)),
    "student": (682, 26, 4.8, 0.6, (30, 15, 113, 408, 0, 49, 194, 191)),
    "unknown": (275, 45.5, 10.5, 0.0, (158, 67, 94, 112, 0, 36, 136, 397)),
}


def frame(row_count: int = ROW_COUNT, seed: int = SEED) -> pd.DataFrame:
    """Rows with the 21 columns of the Bank Marketing data, label `y` last.

    The same arguments give the same rows. About 11 % say yes.
    """
    import numpy as np
    import pandas as pd

    draw = np.random.default_rng(seed)
    month = draw.choice(len(MONTHS), row_count, p=_shares([line[7] for line in MONTHS]))
    names, *numbers = zip(*MONTHS, strict=True)
    figures = np.array(numbers, dtype=float)[:, month]
    job, age, education = _people(draw, row_count)
    earlier, pdays, poutcome = _history(draw, figures[9], figures[10])
    duration = np.clip(np.exp(draw.normal(5.17, 0.86, row_count)), 0, 4900).round()
    campaign = np.minimum(draw.geometric(0.40, row_count), 56)
    mobile = draw.random(row_count) < figures[8]
    unknown_default = draw.random(row_count) < np.where(age > 40, 0.27, 0.16)
    in_default = draw.random(row_count) < 1e-4
    housing = draw.choice(("yes", "no", "unknown"), row_count, p=(0.523, 0.453, 0.024))
    loan = np.where(draw.random(row_count) < 0.156, "yes", "no")

    calls = np.log1p(duration)
    odds = (
        figures[7]
        - 4.05
        + 3.1 * (calls - 5.17)
        - 0.6 * np.maximum(calls - 6.4, 0) ** 2
        + np.array([JOBS[each][3] for each in job])
        + 2.4 * (poutcome == "success")
        - 0.2 * (poutcome == "failure")
        + 0.4 * mobile
        - 0.06 * np.minimum(campaign - 1, 10)
        - 0.5 * unknown_default
        + 0.6 * ((age < 25) | (age > 60))
    )
    accepted = draw.random(row_count) < 1 / (1 + np.exp(-odds))

    return pd.DataFrame(
        {
            "age": age,
            "job": job,
            "marital": _marital(draw, age),
            "education": education,
            "default": np.where(in_default, "yes", np.where(unknown_default, "unknown", "no")),
            "housing": housing,
            "loan": np.where(housing == "unknown", "unknown", loan),
            "contact": np.where(mobile, "cellular", "telephone"),
            "month": np.array(names)[month],
            "day_of_week": draw.choice(("mon", "tue", "wed", "thu", "fri"), row_count),
            "duration": duration.astype(int),
            "campaign": campaign,
            "pdays": pdays,
            "previous": earlier,
            "poutcome": poutcome,
            "emp.var.rate": figures[0],
            "cons.price.idx": figures[1],
            "cons.conf.idx": figures[2],
            "euribor3m": draw.uniform(figures[4], figures[5]).round(3),
            "nr.employed": figures[3],
            "y": np.where(accepted, "yes", "no"),
        }
    )


def _people(
    draw: np.random.Generator, row_count: int
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """Job, age and education, which depend on each other."""
    import numpy as np

    jobs = tuple(JOBS)
    job = draw.choice(jobs, row_count, p=_shares([line[0] for line in JOBS.values()]))
    age = np.empty(row_count)
    education = np.empty(row_count, dtype=f"U{max(map(len, SCHOOLS))}")
    for name, (_, mean, spread, _, schools) in JOBS.items():
        of_job = np.flatnonzero(job == name)
        lowest = 17 if name == "student" else 20
        skewed = mean + spread * (draw.gamma(4, 0.5, len(of_job)) - 2)
        age[of_job] = np.clip(skewed, lowest, 60 if name not in ("retired", "unknown") else 98)
        education[of_job] = draw.choice(SCHOOLS, len(of_job), p=_shares(schools))
    return job, age.round().astype(int), education


def _history(
    draw: np.random.Generator, contacted: Values, agreed: Values
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """Earlier contacts, days since the last one, and what came of it."""
    import numpy as np

    row_count = len(contacted)
    known = draw.random(row_count) < contacted
    success = known & (draw.random(row_count) < agreed)
    earlier = np.where(known, np.minimum(draw.geometric(0.80, row_count), 7), 0)
    recent = success | (known & (draw.random(row_count) < 0.03))
    days = np.clip(draw.gamma(2.6, 2.3, row_count).round(), 0, 27).astype(int)
    outcome = np.where(success, "success", np.where(known, "failure", "nonexistent"))
    return earlier, np.where(recent, days, NEVER), outcome


def _marital(draw: np.random.Generator, age: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    import numpy as np

    row_count = len(age)
    single = draw.random(row_count) < 1 / (1 + np.exp((age - 32.5) / 4.5)) * 0.88 + 0.06
    divorced = draw.random(row_count) < np.where(age > 30, 0.165, 0.04)
    marital = np.where(single, "single", np.where(divorced, "divorced", "married"))
    return np.where(draw.random(row_count) < 0.002, "unknown", marital)


def _shares(weights: list[int] | tuple[int, ...]) -> Values:
    import numpy as np

    values = np.array(weights, dtype=float)
    shares: Values = values / values.sum()
    return shares
