"""A caching proxy that knows nothing of us, in front of a server: nginx as Debian ships it."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.prepare import find_proxy
from tests.servers import NO_CERTIFICATES, free_port, look_again_soon

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=texts:1m max_size=10m;
  gzip on; gzip_proxied any; gzip_min_length 1; gzip_types text/markdown text/plain application/json;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header Host $host;
      proxy_cache texts; proxy_cache_revalidate on; proxy_cache_use_stale error timeout;
      add_header X-Cache $upstream_cache_status always;
    }}
  }}
}}
"""


@contextmanager
def running_proxy(folder: Path, upstream: str) -> Iterator[str]:
    """Start it in front of a server that runs; its address."""
    folder.mkdir()
    port = free_port()
    written = folder / "nginx.conf"
    written.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream))
    command = find_proxy()
    assert command is not None, "tests.prepare installs nginx"
    as_root = ["-g", "user root;"] if os.geteuid() == 0 else []  # else its worker could not read this folder
    proxy = subprocess.Popen([command, "-c", str(written), "-p", str(folder), *as_root])
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{address}/healthz", verify=NO_CERTIFICATES).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < deadline
            look_again_soon()
        else:
            break
    yield address
    proxy.terminate()
    proxy.wait(10)
