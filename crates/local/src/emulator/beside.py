"""Runs ministack beside the local platform and ends with it.

Standard input is a pipe from the platform. When it closes, the platform is gone, however it went: ministack is
then stopped in the way in which it saves its state. A change of an account is saved before it is answered, so that
it is there even when this process itself is killed; sessions are saved once a second.
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
lock.truncate(0)
lock.write(str(os.getpid()))
lock.flush()

from ministack.core import persistence  # noqa: E402
from ministack.services import cognito  # noqa: E402


def stop_with_the_platform():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


writing = threading.Lock()
saved = None


def save():
    """Saves the accounts if they have changed since the last time."""
    global saved
    with writing:
        for _ in range(100):
            try:
                now = cognito.get_state()
                break
            except RuntimeError:
                time.sleep(0.01)  # changed by another request while it was copied
        else:
            return
        print_of = hashlib.sha256(json.dumps(now, default=persistence._json_default).encode()).digest()
        if print_of != saved:
            persistence.save_state("cognito", now)
            saved = print_of


def save_sessions():
    while True:
        time.sleep(1)
        save()


sessions = threading.Thread(target=save_sessions, daemon=True)


async def saved_first(method, path, headers, body, query_params):
    # Requests are served only after the last run's state was read: nothing is saved before that.
    if not sessions.is_alive():
        sessions.start()
    answer = await served(method, path, headers, body, query_params)
    if headers.get("x-amz-target", "").rpartition(".")[2].startswith(CHANGES):
        save()
    return answer


CHANGES = (
    "AdminCreate", "AdminDelete", "AdminDisable", "AdminEnable", "AdminSet", "AdminUpdate",
    "Create", "Set", "Update", "VerifySoftwareToken",
)

threading.Thread(target=stop_with_the_platform, daemon=True).start()
served = cognito.handle_request
cognito.handle_request = saved_first
sys.argv = ["ministack"]

from ministack.app import main  # noqa: E402

main()
