"""The bare client of the benchmark: one connection and one command per host, all at once.

It reads one JSON object from standard input and prints the seconds and the processor seconds of the work
itself; starting Python and loading asyncssh does not count.
"""

import asyncio
import json
import sys
import time

import asyncssh


async def run(job, options, address):
    async with asyncssh.connect(address, options=options) as connection:
        result = await connection.run(job["command"], check=True, encoding=None)
        return len(result.stdout)


async def main():
    job = json.load(sys.stdin)
    options = asyncssh.SSHClientConnectionOptions(
        username="root",
        client_keys=[asyncssh.read_private_key(job["key"])],
        known_hosts=asyncssh.read_known_hosts(job["known_hosts"]),
        config=None,
        agent_path=None,
        kex_algs=["curve25519-sha256"],
        encryption_algs=["aes128-gcm@openssh.com"],
    )
    start, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(run(job, options, address) for address in job["addresses"]))
    print(json.dumps({"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu}))


asyncio.run(main())
