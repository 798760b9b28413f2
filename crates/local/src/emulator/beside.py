"""Runs ministack beside the local platform and ends with it.

Standard input is a pipe from the platform. When it closes, the platform is gone, however it went: ministack is
then stopped in the way in which it saves its state. Accounts are also saved while it runs, so that little is lost
when this process itself is killed.
"""
import fcntl
import hashlib
import json
import os
import signal
import sys
import threading
import time

state = os.environ["STATE_DIR"]
os.makedirs(state, exist_ok=True)

# The last run's ministack may still be saving.
lock = open(os.path.join(state, "running"), "a")
for _ in range(200):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit("Another local platform is running on this data folder.")


def stop_with_the_platform():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def save_accounts():
    from ministack.core import persistence
    saved = None
    while True:
        time.sleep(1)
        cognito = sys.modules.get("ministack.services.cognito")
        if cognito is None:
            continue
        try:
            now = cognito.get_state()
            print_of = hashlib.sha256(json.dumps(now, default=persistence._json_default).encode()).digest()
            if print_of != saved:
                persistence.save_state("cognito", now)
                saved = print_of
        except RuntimeError:
            pass  # changed while it was copied: the next second will do


threading.Thread(target=stop_with_the_platform, daemon=True).start()
threading.Thread(target=save_accounts, daemon=True).start()
sys.argv = ["ministack"]

from ministack.app import main  # noqa: E402

main()
