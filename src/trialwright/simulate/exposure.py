"""What was given: EX, one row per drug and infusion, and CM, the next anticancer therapy."""

from __future__ import annotations

import numpy as np
import polars as pl

from trialwright.simulate.draw import NEVER, iso, iso_minute, pick
from trialwright.simulate.tables import domain, month_only, same, text
from trialwright.simulate.trial import Trial

_MINUTES = 60


def domains(trial: Trial) -> dict[str, pl.DataFrame]:
    """EX and CM."""
    return {
        "EX": domain(trial, "EX", _doses(trial), ("EXSTDTC", "EXTRT")),
        "CM": domain(trial, "CM", _therapies(trial), ("CMSTDTC",)),
    }


def _doses(trial: Trial) -> pl.DataFrame:
    rows = trial.treatment.doses
    minute = rows["minute"].to_numpy()
    return pl.DataFrame(
        {
            "who": rows["who"],
            "EXTRT": rows["drug"],
            "EXDOSE": rows["amount"],
            "EXDOSU": rows["unit"],
            "EXROUTE": same("INTRAVENOUS", len(rows)),
            "EXSTDTC": iso_minute(minute),
            "EXENDTC": iso_minute(minute + _MINUTES),
        }
    )


def _therapies(trial: Trial) -> pl.DataFrame:
    rng, rates = trial.stream("therapies"), trial.scenario.follow_up
    who = np.flatnonzero(trial.treatment.new_therapy < NEVER)
    names = np.array(rates.therapies or ("ANTICANCER THERAPY",), dtype=object)
    chosen = np.zeros(len(who), dtype=np.int64)
    for arm, weights in rates.new_therapies.items():
        mask = trial.people.arm[who] == arm
        chosen[mask] = pick(rng, weights, int(mask.sum()))
    day_unknown = rng.random(len(who)) < rates.month_only_new_therapy
    return pl.DataFrame(
        {
            "who": pl.Series(values=who, dtype=pl.Int64),
            "CMTRT": text(names[chosen]),
            "CMCAT": same("SUBSEQUENT ANTICANCER THERAPY", len(who)),
            "CMSTDTC": month_only(iso(trial.treatment.new_therapy[who]), day_unknown),
        }
    )
