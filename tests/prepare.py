"""See to it that the tests have a browser and a caching proxy: the system's, installed where this user may."""

import os
import shutil
import subprocess
import sys

# First the one without windows: the same engine with half the work.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """The path of a Chromium on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def find_proxy() -> str | None:
    """The path of an nginx on this machine, also where only root's PATH leads to it."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def main() -> int:
    """Install Debian's packages for what there is not; say what to do where that is not possible."""
    wanted = [] if find_browser() else ["chromium-headless-shell", "fonts-noto-core", "fonts-noto-cjk"]
    wanted += [] if find_proxy() else ["nginx-light"]
    if not wanted:
        return 0
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        # At runlevel 1 no service is started: the tests start a proxy of their own.
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        subprocess.run([apt, "-q", "update"], check=True, env=quiet, stdout=subprocess.DEVNULL)
        install = [apt, "-qy", "install", "--no-install-recommends", *wanted]
        subprocess.run(install, check=True, env=quiet, stdout=subprocess.DEVNULL)
        return 0
    packages = " ".join(wanted)
    sys.stderr.write(
        f"The tests need these packages (Debian: sudo apt install {packages}). Install them and try again.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
