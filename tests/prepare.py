"""See to it that the tests have a browser: the system's Chromium, installed where this user may."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """The path of a Chromium on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def main() -> int:
    """Install Debian's Chromium if there is none; say what to do where that is not possible."""
    if find_browser():
        return 0
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([apt, "-q", "update"], check=True, env=quiet, stdout=subprocess.DEVNULL)
        wanted = ["chromium", "fonts-noto-core", "fonts-noto-cjk"]
        install = [apt, "-qy", "install", "--no-install-recommends", *wanted]
        subprocess.run(install, check=True, env=quiet, stdout=subprocess.DEVNULL)
        return 0
    sys.stderr.write("The browser tests need Chromium. Install it (Debian: sudo apt install chromium) and try again.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
