#!/usr/bin/env python3
"""Whether what docs/observe/ gives to an admin fits the hub as it runs.

    check.py FOLKMOOTD FOLKMOOTCTL ROOT

Starts the hub, reads /metrics, and checks the format, that rules, dashboard and document speak of
the same things, and, where Debian's prometheus is, that it takes and evaluates all of them.
"""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import exposition

DEADLINE_SECONDS = 60
METRIC = re.compile(r"\bfolkmoot_[a-z0-9_]+")

folkmootd, folkmootctl, root = sys.argv[1:4]
shelf = pathlib.Path(root) / "docs" / "observe"
rules = shelf / "folkmoot.rules.yml"
dashboard = shelf / "folkmoot-dashboard.json"


def expect(condition, what):
    if not condition:
        sys.exit(f"this does not hold: {what}")


def wait_for(what, ask):
    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        found = ask()
        if found:
            return found
        expect(time.monotonic() < end, what)
        time.sleep(0.1)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except OSError:
        return None


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    expect(done.returncode == 0, f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


# --- the hub ---


def start_hub(scratch, port):
    (scratch / "conf").write_text(
        f"[hub]\nstate_dir = {scratch}/state\n[listen]\ntls = 127.0.0.1:0\n"
        f"control = {scratch}/control\nmetrics = 127.0.0.1:{port}, unix:{scratch}/metrics\n"
    )
    hub = subprocess.Popen([folkmootd, "--config", scratch / "conf"], stderr=subprocess.DEVNULL)
    wait_for("the hub starts", lambda: fetch(f"http://127.0.0.1:{port}/healthz") == "ok\n")
    run(folkmootctl, "--socket", scratch / "control", "community", "create", "Nettle Valley")
    return hub


def check_unix_socket(path):
    expect(path.stat().st_mode & 0o777 == 0o660, "the socket's mode")
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(path))
        one.sendall(b"GET /readyz HTTP/1.1\r\nHost: hub\r\n\r\n")
        expect(one.makefile("rb").read().endswith(b"\r\n\r\nok\n"), "the unix socket answers")


# --- what is written ---


def expressions():
    """Every query of the dashboard, its variables replaced."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            if isinstance(node.get("expr"), str):
                found.append(node["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m"))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(json.loads(dashboard.read_text()))
    return found


def check_names(exported):
    for path in (rules, dashboard):
        named = set(METRIC.findall(path.read_text()))
        expect(named, f"{path.name} names metrics")
        expect(named <= exported, f"{path.name}: not exported: {sorted(named - exported)}")
    base = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported}
    shown = {re.sub(r"_(bucket|sum|count)$", "", n) for n in METRIC.findall(dashboard.read_text())}
    expect(base == shown, f"on no panel: {sorted(base - shown)}")


def check_document():
    alerts = re.findall(r"- alert: (\w+)", rules.read_text())
    sections = re.findall(r"^### (Folkmoot\w+)$", (shelf.parent / "observe.md").read_text(), re.M)
    expect(alerts == sections, f"sections of observe.md: {set(alerts) ^ set(sections) or 'the order'}")


def check_dashboard():
    board = json.loads(dashboard.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    expect(len(ids) == len(set(ids)), "each panel has an id of its own")
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                expect(x < 24 and (x, y) not in taken, f"panels overlap: {panel['title']}")
                taken.add((x, y))


# --- Debian's prometheus ---


def check_by_promtool(promtool, text, scratch):
    run(promtool, "check", "metrics", input=text)
    run(promtool, "check", "rules", rules)
    run(promtool, "test", "rules", *(pathlib.Path(__file__).parent.glob("rules*_test.yml")))
    shutil.copy(rules, scratch)
    shutil.copy(shelf / "prometheus.yml", scratch)
    run(promtool, "check", "config", scratch / "prometheus.yml")


def api(port, path):
    text = fetch(f"http://127.0.0.1:{port}/api/v1/{path}")
    return json.loads(text)["data"] if text else None


def rules_are_evaluated(port):
    told = api(port, "rules")
    every = [rule for group in told["groups"] for rule in group["rules"]] if told else []
    bad = [rule["name"] for rule in every if rule["health"] == "err"]
    expect(not bad, f"rules with errors: {bad}")
    return len(every) if every and all(rule["health"] == "ok" for rule in every) else 0


def check_by_prometheus(prometheus, hub_port, scratch):
    port = free_port()
    config = (scratch / "prometheus.yml").read_text().replace("9464", str(hub_port))
    (scratch / "prometheus.yml").write_text(config.replace("15s", "1s"))
    server = subprocess.Popen(
        [prometheus, f"--config.file={scratch}/prometheus.yml", f"--storage.tsdb.path={scratch}/tsdb",
         f"--web.listen-address=127.0.0.1:{port}"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("prometheus scrapes the hub", lambda: api(port, "query?query=folkmoot_ready==1")
                 and api(port, "query?query=folkmoot_ready==1")["result"])
        n = wait_for("prometheus evaluates the rules", lambda: rules_are_evaluated(port))
        queries = expressions()
        for query in queries:
            told = api(port, "query?query=" + urllib.parse.quote(query))
            expect(told, f"the query is taken: {query}")
        firing = [alert["labels"]["alertname"] for alert in api(port, "alerts")["alerts"]
                  if alert["state"] == "firing"]
        expect(not firing, f"a hub that is well sets off nothing: {firing}")
        print(f"prometheus: {n} rules evaluated, {len(queries)} queries of the dashboard taken")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def check_all(scratch):
    port = free_port()
    hub = start_hub(scratch, port)
    try:
        text = fetch(f"http://127.0.0.1:{port}/metrics")
        exported = exposition.check(text)
        check_names(exported)
        check_document()
        check_dashboard()
        check_unix_socket(scratch / "metrics")
        print(f"exposition: {len(exported)} names, all in order; rules, dashboard and document fit")
        promtool, prometheus = shutil.which("promtool"), shutil.which("prometheus")
        if promtool:
            check_by_promtool(promtool, text, scratch)
            print("promtool: metrics, rules, their tests and the configuration are sound")
        else:
            print("SKIPPED: promtool is not here (Debian: prometheus)")
        if promtool and prometheus:
            check_by_prometheus(prometheus, port, scratch)
        else:
            print("SKIPPED: prometheus is not here")
    finally:
        hub.send_signal(signal.SIGTERM)
        code = hub.wait()
    expect(code == 0, f"the hub ended with {code}")


exposition.self_test()
with tempfile.TemporaryDirectory(prefix="folkmoot-observe-") as directory:
    check_all(pathlib.Path(directory))
