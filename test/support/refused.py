# Sends a body that will be refused, with Python's own clients, and prints what each of them got: a status, or its error.

import http.client
import sys
import urllib.error
import urllib.request

port, path, content_type, length = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
body = b" " * length
headers = {"Content-Type": content_type}


def with_urllib():
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=60).status
    except urllib.error.HTTPError as error:
        error.read()
        return error.code


def with_http_client():
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    response.read()
    return response.status


def in_chunks():
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    pieces = (body[at : at + 65_536] for at in range(0, length, 65_536))
    connection.request("POST", path, pieces, headers, encode_chunked=True)
    response = connection.getresponse()
    response.read()
    return response.status


for client in (with_urllib, with_http_client, in_chunks):
    try:
        print(client.__name__, client())
    except Exception as error:
        print(client.__name__, repr(error))
