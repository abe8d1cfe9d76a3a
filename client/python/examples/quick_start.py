"""Statements with values, and a subscription to what they change. Usage: quick_start.py [port]"""

import sys

import pubsubsql

with pubsubsql.connect("localhost", int(sys.argv[1]) if len(sys.argv) > 1 else pubsubsql.DEFAULT_PORT) as db:
    db.query("insert into example_stocks (ticker, bid) values (?, ?), (?, ?)", ["IBM", 120.5, "SAP", 98])
    with db.subscribe("subscribe * from example_stocks where bid > ?", [100]) as dear:
        db.query("update example_stocks set bid = ? where ticker = ?", [101, "SAP"])
        for change in dear:
            for row in change:
                print(change.action, row["ticker"], row["bid"])
            if any(row["ticker"] == "SAP" for row in change):
                break
    for row in db.query("select ticker, bid from example_stocks order by ticker"):
        print(row)
    db.query("drop table example_stocks")
