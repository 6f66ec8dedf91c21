"""The figures by which accesses are looked at (R18, R46): name, value, unit, citation, reason; see regimes.py.

No text gives any of them, so all are our own policy. An address never decides anything alone.
"""

ROWS = (
    ("access_profile_days", "180", "days", "own", "Half a year shows a habit; older habits have changed."),
    ("access_profile_least_days", "5", "days", "own", "Fewer days of use show no habit."),
    ("access_profile_least_records", "20", "records", "own", "Of fewer accesses a share says nothing."),
    ("access_usual_percent", "10", "percent", "own", "What is less than a tenth is not usual."),
    ("access_quiet_days", "60", "days", "own", "Longer than holidays, shorter than a season."),
    ("travel_speed_kmh", "1000", "km an hour", "own", "An airliner at cruise; nobody is faster door to door."),
    ("travel_tolerance_km", "500", "km", "own", "Networks near a border are often placed beyond it."),
    ("travel_clock_minutes", "15", "minutes", "own", "Clocks of two systems differ by minutes."),
    ("travel_most_records", "5000", "records", "own", "The newest of the days in question; read in a moment."),
    ("admin_elsewhere_least_records", "3", "records", "own", "One act on a journey says nothing."),
    ("burst_days", "7", "days", "own", "A week evens out week-ends."),
    ("burst_factor", "5", "times", "own", "On a day of use, against one before the sleep; doubling is growth."),
    ("burst_least_records", "50", "records", "own", "A few log-ins after a long time are no burst."),
    ("use_elsewhere_percent", "60", "percent", "own", "More than half, with room for journeys."),
    ("us_location_percent", "20", "percent", "own", "Who lives there is seen there more than one day in five."),
    ("detector_least_answers", "10", "answers", "own", "Of fewer answers a share of right ones says nothing."),
)
