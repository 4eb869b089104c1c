#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints promtool's unit test of BkxdpFlowSilent: each row is a flow with months of a schedule,
# and the time when the alert must fire. Time begins on a Thursday, 00:00 UTC.
#
#	monitoring/tests/silence.py RULES.yml [FLOW...] >silence.yml && promtool test rules silence.yml

import itertools
import sys

STEP = 30  # minutes
DAYS = 46
HOUR, DAY = 60, 1440  # minutes
MONDAY = 4  # the first, as a day from 0


def nightly(day, minute):
    """22:00 to 01:00."""
    return minute >= 22 * HOUR or (day > 0 and minute < HOUR)


def working_nights(day, minute):
    """The nights that begin on Monday to Friday."""
    began = day if minute >= 22 * HOUR else day - 1
    return nightly(day, minute) and (began - MONDAY) % 7 < 5


def weekly(day, minute):
    return (day - MONDAY) % 7 == 0 and 2 * HOUR <= minute < 9 * HOUR


def hourly(day, minute):
    return minute % HOUR < 10


def always(day, minute):
    return True


def never(day, minute):
    return False


def two_restores(day, minute):
    return day in (2, 4) and 9 * HOUR <= minute < 11 * HOUR


def missed(schedule, *nights):
    """The schedule without these days (and the hours after midnight that belong to them)."""

    def runs(day, minute):
        began = day if minute >= 12 * HOUR else day - 1
        return schedule(day, minute) and began not in nights

    return runs


def until(last, schedule):
    """Nothing begins after the morning of that day."""
    return missed(schedule, *range(last, DAYS))


def span(day, hour, hours):
    """All minutes from then, as a test."""
    first = day * DAY + hour * HOUR
    return lambda now: first <= now < first + hours * HOUR


NO_TIME = span(0, 0, 0)

# name, schedule, when the counter begins again at 0 (day, hour), when it is not scraped,
# and when the alert fires: (first day, hour, last day, hour) within an hour each.
# A night ends at 1:00 and 21 hours are usual: 27.25 hours later is the alert.
FLOWS = [
    ("nightly", nightly, [], NO_TIME, []),
    ("nights-of-work", working_nights, [], NO_TIME, []),
    ("weekly", weekly, [], NO_TIME, []),
    ("hourly", hourly, [], NO_TIME, []),
    ("always", always, [], NO_TIME, []),
    ("never", never, [], NO_TIME, []),
    ("two-restores", two_restores, [], NO_TIME, []),
    ("attached-again", nightly, [(12, 12), (20, 23), (30, 3)], NO_TIME, []),
    ("not-scraped-at-night", nightly, [], span(15, 21, 5), []),
    ("not-scraped-for-days", nightly, [], span(15, 2, 60), []),
    ("out-of-the-policy", nightly, [], span(15, 2, DAYS * 24), []),
    ("dead-before-it-was-known", until(4, nightly), [], NO_TIME, []),
    ("dead", until(12, nightly), [], NO_TIME, [(13, 5, DAYS, 0)]),
    ("dead-and-attached-again", until(12, nightly), [(12, 12), (14, 12)], NO_TIME, [(13, 5, DAYS, 0)]),
    ("one-night", missed(nightly, 20), [], NO_TIME, [(21, 5, 21, 22)]),
    # not more than 42 hours were learned from the outage, so the next alert comes after 53.5
    ("five-nights-and-three", missed(nightly, *range(12, 17), 31, 32, 33), [], NO_TIME,
     [(13, 5, 17, 22), (33, 7, 34, 22)]),
    # the longest pause is a weekend, so a Monday is overdue on Tuesday afternoon
    ("monday-in-the-third-week", missed(working_nights, 18), [], NO_TIME, [(19, 17, 19, 22)]),
    ("weekly-dead", until(26, weekly), [], NO_TIME, [(33, 20, DAYS, 0)]),
    ("always-dead", until(20, always), [], NO_TIME, [(20, 15, DAYS, 0)]),
]


def counter(schedule, resets, unseen):
    """The values at each step, None where there is none."""
    count = 0
    for now in range(0, DAYS * DAY, STEP):
        day, minute = divmod(now, DAY)
        if any(now == d * DAY + h * HOUR for d, h in resets):
            count = 0
        if schedule(day, minute):
            count += 10
        yield None if unseen(now) else count


def notation(values):
    """promtool's notation, in which runs of the same increment are one word."""
    words = []
    for missing, run in itertools.groupby(values, lambda value: value is None):
        run = list(run)
        if missing:
            words.append(f"_x{len(run)}")
            continue
        while run:
            step = run[1] - run[0] if len(run) > 1 and run[1] >= run[0] else 0
            length = 1
            while length < len(run) and run[length] - run[length - 1] == step:
                length += 1
            words.append(f"{run[0]}+{step}x{length - 1}")
            run = run[length:]
    return " ".join(words)


def print_series(name, values):
    labels = f'job="bkxdp", instance="h:1", device="eth1", profile="p", flow="{name}", side="inbound"'
    print(f"      - series: bkxdp_flow_packets_total{{{labels}}}")
    print(f"        values: '{notation(values)}'")


def print_expected(name, minute, fires):
    labels = f'alertname="BkxdpFlowSilent", alertstate="firing", flow="{name}"'
    print(f"      - expr: count(ALERTS{{{labels}}}) or vector(0)")
    print(f"        eval_time: {minute}m")
    print(f"        exp_samples: [{{labels: '{{}}', value: {int(fires)}}}]")


def print_expectations(name, alerts):
    """Every three hours, except for the hours around the beginning and the end of an alert."""
    times = [(a * DAY + b * HOUR, c * DAY + d * HOUR) for a, b, c, d in alerts]
    for now in range(DAY, (DAYS - 1) * DAY, 3 * HOUR):
        if all(abs(now - edge) > HOUR for edge in itertools.chain(*times)):
            print_expected(name, now, any(first < now < last for first, last in times))


def main():
    rules, *names = sys.argv[1:]
    flows = [flow for flow in FLOWS if not names or flow[0] in names]
    print(f"rule_files: ['{rules}']\nevaluation_interval: {STEP}m\ntests:")
    print(f"  - interval: {STEP}m\n    input_series:")
    for name, schedule, resets, unseen, _ in flows:
        print_series(name, counter(schedule, resets, unseen))
    print("    promql_expr_test:")
    for name, _, _, _, alerts in flows:
        print_expectations(name, alerts)


if __name__ == "__main__":
    main()
