#!/usr/bin/env python3
"""Everything a person does with this checkout, with nothing but Python: set up, run, test.

    python3 dev.py run      set up, fill a demo database, serve the application
    python3 dev.py test     set up, check, run the tests (further words go to pytest)
    python3 dev.py check    format, lint, types, layers
    python3 dev.py bench    measure against hand-written code
    python3 dev.py golden   rewrite the golden files and docs/reference; read the diff before you commit it
    python3 dev.py lock     pin the dependencies of pyproject.toml anew (--upgrade takes the newest)

Set-up makes `.venv` beside this file and installs the locked, hashed packages into it; it is done again only when
the lock or the Python changes. This file keeps to the standard library and to syntax that an old Python can parse,
so that it can say what is missing instead of failing with a SyntaxError.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
SCRIPTS = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = SCRIPTS / ("python.exe" if WINDOWS else "python")
STAMP = VENV / "dougong.json"
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
OLDEST = (3, 11)
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "msedge",
    "chrome",
)
BROWSER_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


class Stop(Exception):
    """Ends the command with words for the person, in Chinese and in English."""

    def __init__(self, zh, en):
        super().__init__(en)
        self.zh, self.en = zh, en


class Step:
    """One step of the work: says what it does, then how long it took and whether it failed."""

    def __init__(self, zh, en):
        self.words = "{} / {}".format(zh, en)

    def __enter__(self):
        print("==> " + self.words, flush=True)
        self.began = time.monotonic()
        return self

    def __exit__(self, kind, error, trace):
        took = time.monotonic() - self.began
        if error is None:
            print("    {:.1f} s".format(took), flush=True)


# Python and packages


def use_new_python():
    """Go on with a newer interpreter where one is installed, else say so."""
    if sys.version_info >= OLDEST:
        return
    for minor in (13, 12, 11):
        found = shutil.which("python3.{}".format(minor))
        if found:
            print("Python {}.{} -> {}".format(sys.version_info[0], sys.version_info[1], found), flush=True)
            sys.exit(subprocess.call([found] + sys.argv))
    here, oldest = ".".join(map(str, sys.version_info[:3])), ".".join(map(str, OLDEST))
    raise Stop(
        "需要 Python {} 或更新版本,当前是 {}。请安装后再试。".format(oldest, here),
        "Python {} or newer is needed; this is {}. Install it and try again.".format(oldest, here),
    )


def set_up(lock):
    """Make `.venv` hold exactly what `lock` names. Quick when nothing has changed."""
    wanted = {name: fingerprint(name) for name in ([RUNTIME] if lock == RUNTIME else [RUNTIME, DEVELOPMENT])}
    installed = read_stamp() if works() else {}
    if all(installed.get(name) == mark for name, mark in wanted.items()):
        return
    with Step("准备环境 .venv(首次约一两分钟)", "Preparing .venv (a minute or two the first time)"):
        if not installed and VENV.exists():
            shutil.rmtree(VENV)
        if not PYTHON.exists():
            make_venv()
        command = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
        if subprocess.call(command + ["-r", str(ROOT / lock)]) != 0:
            raise Stop(
                "依赖没有装上,原因见上文。请检查网络或软件包镜像设置(pip config),然后重试。",
                "The packages were not installed; the reason stands above. Check the network or the package index "
                "that pip is set to (pip config), then try again.",
            )
        link_checkout()
        STAMP.write_text(json.dumps(dict(installed, root=str(ROOT), **wanted)), encoding="utf-8")


def fingerprint(lock):
    """A mark that changes with the lock file."""
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def works():
    """Whether `.venv` still runs: it does not when the Python behind it was removed or replaced by another version."""
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('fastapi') is None)"
    return PYTHON.exists() and subprocess.call([str(PYTHON), "-c", look], stderr=subprocess.DEVNULL) == 0


def read_stamp():
    """What was installed in `.venv`: lock name -> fingerprint; empty if unknown, or if the checkout has moved."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if stamp.get("root") == str(ROOT) else {}


def make_venv():
    """`python -m venv`, also on a Debian whose Python comes without ensurepip."""
    # Called by the environment's own Python, that one may just have been removed with it.
    command = [getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(VENV)]
    if subprocess.call(command, stdout=subprocess.DEVNULL) == 0:
        return
    if apt_install("python3-venv") and subprocess.call(command) == 0:
        return
    raise Stop(
        "无法建立虚拟环境,原因见上文。在 Debian 或 Ubuntu 上请先运行: apt-get install python3-venv",
        "No virtual environment could be made; the reason stands above. On Debian or Ubuntu run: "
        "apt-get install python3-venv",
    )


def link_checkout():
    """Make `engine` importable and `dougong` callable from `.venv` without building a package."""
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.check_output([str(PYTHON), "-c", where], universal_newlines=True).strip())
    (packages / "dougong.pth").write_text(str(ROOT) + "\n", encoding="utf-8")
    if WINDOWS:
        (SCRIPTS / "dougong.cmd").write_text('@"%~dp0python.exe" -m engine.cli %*\r\n', encoding="utf-8")
    else:
        script = SCRIPTS / "dougong"
        script.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m engine.cli "$@"\n', encoding="utf-8")
        script.chmod(0o755)


def apt_install(*packages):
    """Install Debian packages when we are root on such a system; False if that is not so or failed."""
    if WINDOWS or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    with Step("安装系统软件包 " + " ".join(packages), "Installing system packages"):
        subprocess.call(["apt-get", "-qq", "update"], env=quiet, stdin=subprocess.DEVNULL)
        command = ["apt-get", "-qq", "install", "--yes", "--no-install-recommends"]
        done = subprocess.call(command + list(packages), env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return done == 0


def python(*arguments, **environment):
    """Run the environment's Python in the checkout; its exit code."""
    return subprocess.call([str(PYTHON)] + list(arguments), cwd=str(ROOT), env=dict(os.environ, **environment))


# Commands


def run(arguments):
    """Serve the demo application until it is stopped."""
    parser = argparse.ArgumentParser(prog="dev.py run", description=run.__doc__)
    parser.add_argument("--app", default=str(ROOT / "apps" / "crm.yaml"), help="the app package (apps/crm.yaml)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")
    parser.add_argument(
        "--data", default=str(ROOT / "data"), metavar="DIR", help="where the database and files live (data)"
    )
    parser.add_argument("--database", metavar="URL", help="postgresql://... instead of SQLite in the data folder")
    chosen = parser.parse_args(arguments)
    set_up(RUNTIME)
    command = ["serve", "--demo", "--app", os.path.abspath(chosen.app), "--data", os.path.abspath(chosen.data)]
    command += ["--host", chosen.host, "--port", str(chosen.port)]
    command += ["--database", chosen.database] if chosen.database else []
    return go([str(PYTHON), "-m", "engine.cli"] + command)


def go(command):
    """Become `command`, so that signals reach it; where a process cannot be replaced, wait for it."""
    sys.stdout.flush()
    if not WINDOWS:
        os.chdir(str(ROOT))
        os.execv(command[0], command)
    try:
        return subprocess.call(command, cwd=str(ROOT))
    except KeyboardInterrupt:
        return 130


def check(arguments):
    """Format, lint, types and layers; reports all of them."""
    set_up(DEVELOPMENT)
    typed = [name for name in ("engine", "designer") if (ROOT / name).is_dir()]
    tool = lambda name: str(SCRIPTS / (name + (".exe" if WINDOWS else "")))  # noqa: E731
    checks = (
        ("格式", "Format", [tool("ruff"), "format", "--check", "--quiet", "."]),
        ("规则", "Lint", [tool("ruff"), "check", "--quiet", "."]),
        ("类型", "Types", [tool("mypy")] + typed),
        ("分层", "Layers", [tool("lint-imports"), "--no-logo"]),
    )
    failed = []
    for zh, en, command in checks:
        with Step(zh, en):
            if subprocess.call(command, cwd=str(ROOT)) != 0:
                failed.append("{} / {}".format(zh, en))
    if failed:
        print("\n未通过 / Failed: " + ", ".join(failed), flush=True)
    return 1 if failed else 0


def test(arguments):
    """Check, then run the tests; reports both."""
    checked = check([])
    with Step("浏览器", "Browser"):
        found = browser()
        print(
            "    "
            + (found or "没有找到,浏览器测试会跳过 / none found: browser tests are skipped (set CHROMIUM to a path)")
        )
    with Step("测试", "Tests"):
        # All tests together use every core; a file's tests stay with one process, which makes what they share once.
        told = arguments or ["-n", "auto", "--dist", "loadfile"]
        tested = python("-m", "pytest", *told, **({"CHROMIUM": found} if found else {}))
    if checked:
        print("\n检查未通过,见上文 / The checks above failed", flush=True)
    return tested or checked


def browser():
    """The path of a Chromium-like browser for the browser tests, installed when possible; None if there is none."""
    asked = os.environ.get("CHROMIUM")
    if asked:
        return asked
    for name in BROWSERS + BROWSER_PLACES:
        found = shutil.which(name)
        if found:
            return found
    if apt_install("chromium"):
        return shutil.which("chromium")
    return None


def bench(arguments):
    """Measure the engine against hand-written code."""
    set_up(DEVELOPMENT)
    return go([str(PYTHON), "-m", "bench"] + arguments)


def golden(arguments):
    """Rewrite the golden files by running the tests that use them, and the reference pages."""
    set_up(DEVELOPMENT)
    if python("-m", "engine.cli", "docs") != 0:
        return 1
    return python("-m", "pytest", "--rewrite-golden", *arguments)


def lock(arguments):
    """Pin pyproject.toml: every package with its hashes, for every platform, without addresses."""
    uv = shutil.which("uv")
    with tempfile.TemporaryDirectory() as folder:
        if not uv:
            with Step("取得 uv", "Getting uv"):
                subprocess.check_call([sys.executable, "-m", "venv", folder])
                uv = str(Path(folder) / SCRIPTS.name / ("uv.exe" if WINDOWS else "uv"))
                subprocess.check_call([str(Path(uv).parent / PYTHON.name), "-m", "pip", "install", "--quiet", "uv"])
        command = [uv, "pip", "compile", "pyproject.toml", "--quiet", "--no-config", "--universal", "--generate-hashes"]
        command += ["--python-version", ".".join(map(str, OLDEST)), "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--custom-compile-command", "python3 dev.py lock"] + arguments
        for name, more in ((RUNTIME, []), (DEVELOPMENT, ["--group", "dev", "--constraint", RUNTIME])):
            with Step("锁定 " + name, "Locking"):
                subprocess.check_call(command + more + ["--output-file", name], cwd=str(ROOT))
    return 0


COMMANDS = {"run": run, "test": test, "check": check, "bench": bench, "golden": golden, "lock": lock}


def main():
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(__doc__)
        return 0 if sys.argv[1:] in ([], ["-h"], ["--help"], ["help"]) else 2
    try:
        use_new_python()
        return COMMANDS[sys.argv[1]](sys.argv[2:])
    except Stop as stop:
        print("\n{}\n{}".format(stop.zh, stop.en), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
