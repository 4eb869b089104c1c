#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Looks at a Grafana dashboard without Grafana.
#
#	dashboard.py lint FILE           a line for each thing that is wrong
#	dashboard.py queries FILE        its PromQL, a query a line, variables filled in

import json
import sys

COLUMNS = 24  # of Grafana's grid
KINDS = {"row", "stat", "table", "timeseries", "bargauge"}
NO_UNIT = {"row"}
VARIABLES = {"$__rate_interval": "10m", "$__range": "1h", "$instance": ".*", "$device": ".*"}


def queries(dashboard):
    """(where, query) of every panel and annotation, as they are written."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"panel \"{panel['title']}\", {target['refId']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation \"{annotation['name']}\"", annotation["expr"]


def filled(query):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def cells(panel):
    at = panel["gridPos"]
    return {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}


def wrong_places(panels):
    taken = {}
    for panel in panels:
        at = panel["gridPos"]
        if at["x"] < 0 or at["y"] < 0 or at["w"] < 1 or at["h"] < 1 or at["x"] + at["w"] > COLUMNS:
            yield f"panel \"{panel['title']}\" is not within the grid"
        for cell in cells(panel):
            if cell in taken:
                yield f"panel \"{panel['title']}\" lies on \"{taken[cell]}\""
                break
            taken[cell] = panel["title"]


def wrong_datasources(thing, where):
    uid = thing.get("datasource", {}).get("uid")
    if uid != "${datasource}":
        yield f"{where} has the data source {uid!r}, not the variable"


def wrong_panel(panel):
    where = f"panel \"{panel['title']}\""
    if panel["type"] not in KINDS:
        yield f"{where} is of the kind {panel['type']!r}"
    if panel["type"] in NO_UNIT:
        return
    if not panel.get("description"):
        yield f"{where} does not say what it shows"
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield f"{where} has no unit"
    if not panel.get("targets"):
        yield f"{where} has no query"
    yield from wrong_datasources(panel, where)
    references = [target["refId"] for target in panel["targets"]]
    if len(set(references)) != len(references):
        yield f"{where} has queries of one name"
    for target in panel["targets"]:
        yield from wrong_datasources(target, f"{where}, {target['refId']}")


def wrong_variables(dashboard):
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    for name, kind in (("datasource", "datasource"), ("instance", "query"), ("device", "query")):
        if variables.get(name, {}).get("type") != kind:
            yield f"there is no variable {name} of the kind {kind}"
    for where, query in queries(dashboard):
        if "$" in filled(query):
            yield f"{where} uses a variable that is not known: {query}"


def wrong(dashboard):
    if dashboard["schemaVersion"] < 36:
        yield f"schema {dashboard['schemaVersion']} is older than Grafana 9"
    if dashboard.get("id") is not None or not dashboard.get("uid"):
        yield "an import needs a uid and no id"
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        yield "panels have the same id"
    for panel in dashboard["panels"]:
        yield from wrong_panel(panel)
    yield from wrong_places(dashboard["panels"])
    yield from wrong_variables(dashboard)


def main():
    verb, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    lines = wrong(dashboard) if verb == "lint" else (filled(query) for _, query in queries(dashboard))
    for line in lines:
        print(line)


if __name__ == "__main__":
    main()
