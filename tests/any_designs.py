"""Any design that can be read, small, for Hypothesis."""

from hypothesis import strategies as st

RATES = st.sampled_from([0, 0.02, 0.1, 1.0])

LATER = [
    {"id": "wald", "kind": "cox", "stratified": True},
    {"id": "mean", "kind": "rmst", "months": 3, "stratified": True},
    {"id": "then", "kind": "landmark", "months": 5},
]
FUTILITY = [
    {},
    {"futility": {"conditional_power": 0.2}},
    {"futility": {"conditional_power": 0.2, "effect": "design", "hazard_ratio": 0.5}},
]
TIMES = [{"median": 4, "shape": 0.7}, {"median": 4, "shape": 5}, {"median": 4, "cured": 0.9}]
SITES = [{"count": 3, "rate": 1}, {"opens": 6, "rate": 5}]


@st.composite
def pieces(draw, values=RATES):
    starts = sorted({0, *draw(st.lists(st.sampled_from([1, 2.5, 7]), max_size=2))})
    return [{"start": s, "value": draw(values)} for s in starts]


@st.composite
def states(draw):
    """Times by states in both arms, whatever the hazards were; two endpoints, either of them first."""
    names = ("progression", "death", "death_after_progression")
    control, experimental = ({"states": {name: draw(RATES) for name in names}} for _ in range(2))
    return {
        "control": control,
        "experimental": experimental,
        "hazard_ratio": [],
        "scans": draw(st.sampled_from([[], [{"value": 1.4}, {"start": 4, "value": 3}]])),
    }


@st.composite
def designs(draw):
    patients = draw(st.integers(2, 25))
    many = draw(st.integers(1, 3))
    groups = [
        {
            "id": f"G{i}",
            "share": 1 / many,
            "levels": {"S": str(i % 2)},
            "times": draw(st.sampled_from([0.5, 1, 3])),
        }
        for i in range(many)
    ]
    if draw(st.booleans()):
        groups[0]["hazard_ratio"] = draw(pieces())
    counts = sorted(draw(st.sets(st.integers(1, patients), min_size=1, max_size=3)))
    looks = [{"events": e} for e in counts]
    if draw(st.booleans()):
        looks = [look | {"month": 6.0 * (k + 1)} for k, look in enumerate(looks)]
        looks[-1]["whichever"] = draw(st.sampled_from(["first", "last"]))
    tests = [
        {"id": "lr", "stratified": draw(st.booleans())},
        {"id": "fh", "kind": "fleming-harrington", "rho": 1},
    ]
    if len(looks) == 1:
        tests.append({"id": "combo", "kind": "maxcombo", "stratified": True})
    tests += draw(st.lists(st.sampled_from(LATER), unique_by=lambda t: t["id"]))
    looks[:-1] = [look | draw(st.sampled_from(FUTILITY)) for look in looks[:-1]]
    method = draw(st.sampled_from(["permuted_blocks", "simple", "fixed"]))
    by_site = draw(st.booleans())
    accrual = {"model": draw(st.sampled_from(["uniform", "poisson", "even"])), "months": 12}
    if by_site:
        accrual = {"model": "poisson", "sites": SITES, "spread": draw(st.sampled_from([None, 0.9]))}
    blocks = {"block_sizes": [3, 6], "stratified": draw(st.booleans()), "by_site": by_site}
    raw = {
        "title": "any",
        "patients": patients,
        "control": draw(st.one_of(pieces().map(lambda p: {"hazard": p}), st.sampled_from(TIMES))),
        "hazard_ratio": draw(pieces()),
        "groups": groups,
        "accrual": accrual,
        "predictability": method != "fixed" and draw(st.booleans()),
        "dropout": {"per_year": draw(st.sampled_from([0, 0.5]))},
        "allocation": {
            "method": method,
            "experimental": 2,
            **(blocks if method == "permuted_blocks" else {}),
        },
        "looks": looks,
        "level": {"spending": draw(st.sampled_from(["obrien-fleming", "pocock"]))},
        "tests": tests,
    }
    if draw(st.integers(0, 3)):
        return raw
    for group in groups:
        group.pop("hazard_ratio", None)
    endpoints = [draw(st.sampled_from(["OS", "PFS"])) for _ in tests]
    tests = [test | {"endpoint": endpoint} for test, endpoint in zip(tests, endpoints, strict=True)]
    return raw | draw(states()) | {"tests": tests}
