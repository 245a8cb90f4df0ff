"""nginx in front of processes of Playhead, with bench/nginx.conf."""
import socket

from harness.programs import BENCH, free_port, start, wait_until


def start_nginx(stack, folder, ports):
    """Forwards to these ports; returns the process and the port."""
    port, home = free_port(), folder / "nginx"
    home.mkdir(parents=True, exist_ok=True)
    config = (BENCH / "nginx.conf").read_text()
    servers = "\n        ".join(f"server 127.0.0.1:{each};" for each in ports)
    for name, value in {"{folder}": str(home), "{port}": str(port), "{servers}": servers}.items():
        config = config.replace(name, value)
    (home / "nginx.conf").write_text(config)
    log = home / "output.log"
    process = start(stack, ["nginx", "-p", str(home), "-c", str(home / "nginx.conf")], log)
    wait_until(lambda: listens(port), process, log, "nginx")
    return process, port


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False
