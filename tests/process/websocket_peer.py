"""The other side of test_websocket_peer.c: Debian's python3-websockets, written by others from the same RFC.

websocket_peer.py client URL CA       talks to our server; exit code 0: all went as it should
websocket_peer.py server PORTFILE     echoes to our client until it is asked to close with a code
"""
import asyncio
import os
import ssl
import sys

import websockets

LENGTHS = [0, 1, 125, 126, 127, 65535, 65536, 100000]


async def client(url, ca):
    context = ssl.create_default_context(cafile=ca) if url.startswith("wss") else None
    # The default offers permessage-deflate: the server must do without.
    async with websockets.connect(url, max_size=None, ssl=context) as socket:
        assert socket.extensions == [], socket.extensions
        assert socket.subprotocol is None
        for length in LENGTHS:
            await socket.send("é" * (length // 2))
            assert await socket.recv() == "é" * (length // 2), length
            await socket.send(os.urandom(length))
            assert len(await socket.recv()) == length
        await socket.send(["frag", "men", "", "ted"])  # an iterable goes as fragments
        assert await socket.recv() == "fragmented"
        await (await socket.ping())
        await socket.send("close 4001")
        try:
            await socket.recv()
            raise AssertionError("a message after the close")
        except websockets.exceptions.ConnectionClosed as closed:
            assert closed.rcvd.code == 4001 and closed.rcvd.reason == "as you wish", closed
    try:
        async with websockets.connect(url + "-elsewhere", ssl=context):
            raise AssertionError("connected to a route that is none")
    except websockets.exceptions.InvalidStatusCode as refused:
        assert refused.status_code == 404, refused


async def server(port_file):
    ended = asyncio.get_running_loop().create_future()

    async def echo(socket):
        async for message in socket:
            if message == "close":
                await socket.close(4002, "as you wish")
                ended.set_result(True)
                return
            if isinstance(message, str):
                await socket.send([message[:3], message[3:]])  # in fragments
            else:
                await (await socket.ping())
                await socket.send(message)

    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as listening:
        with open(port_file + ".new", "w") as file:
            file.write(str(listening.sockets[0].getsockname()[1]))
        os.rename(port_file + ".new", port_file)
        await ended


if __name__ == "__main__":
    asyncio.run(client(*sys.argv[2:4]) if sys.argv[1] == "client" else server(sys.argv[2]))
