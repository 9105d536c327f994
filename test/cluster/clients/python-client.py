"""Puts and gets until its standard input ends, with the retries of its own policies; then says how it went and what
its records are, as a line of JSON. Arguments: ports of nodes."""

import json
import sys
import threading
import time

import aerospike

policy = {"max_retries": 20, "sleep_between_retries": 50, "socket_timeout": 1000, "total_timeout": 5000}
client = aerospike.client(
    {
        "hosts": [("127.0.0.1", int(port)) for port in sys.argv[1:]],
        "policies": {"read": policy, "write": policy},
    }
)
errors, wanted = [], {}


def failed(text):
    errors.append({"at": time.time() * 1000, "text": text})


done = 0
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
print("ready", flush=True)
n = 0
while not over.is_set():
    n += 1
    user = f"python-{n % 40}"
    key = ("shop", "official", user)
    try:
        client.put(key, {"n": n})
        wanted[user] = n
        found = client.get(key)[2]["n"]
        if found == n:
            done += 1
        else:
            failed(f"{user} is {found}, not {n}")
    except Exception as error:
        wanted.pop(user, None)
        failed(repr(error))
    time.sleep(0.002)
found = {user: client.get(("shop", "official", user))[2]["n"] for user in wanted}
nodes = [node["node_name"] for node in client.get_node_names()]
client.close()
print(json.dumps({"done": done, "errors": errors, "nodes": nodes, "wanted": wanted, "found": found}))
