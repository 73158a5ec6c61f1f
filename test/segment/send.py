# Calls of each kind through an SDK as it was published: send.py segment|rudderstack <url> <key> <first> <calls>
# Each call has a user of its own, by which its row is found. Exit code 1 when the SDK gave one up.

import sys

sdk, url, key, first, calls = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])

given_up = []


def on_error(error, items):
    print(f"{sdk} gave up {len(items)}: {error}", file=sys.stderr)
    given_up.append(error)


if sdk == "segment":
    from segment.analytics import Client

    client = Client(key, host=url, gzip=True, on_error=on_error, upload_size=7)
else:
    from rudderstack.analytics.client import Client

    client = Client(key, host=url, on_error=on_error, upload_size=7)

for n in range(first, first + calls):
    user = f"user-{n}"
    kind = n % 6
    if kind == 0:
        client.track(user, "Trailer Muted", {"n": n, "é": "😀"})
    elif kind == 1:
        client.page(user, "site", "Home", {"url": f"https://example.com/{n}"})
    elif kind == 2:
        client.screen(user, "app", "Player", {"n": n})
    elif kind == 3:
        client.identify(user, {"plan": "family"})
    elif kind == 4:
        client.group(user, f"group-{n}", {"plan": "family"})
    else:
        client.alias(f"before-{n}", user)
client.flush()
client.shutdown()
sys.exit(1 if given_up else 0)
