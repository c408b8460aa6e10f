"""Every call of the docker package for networks, containers and events, against the socket that is given."""

import sys
import threading

import docker
from docker.errors import APIError, NotFound

client = docker.DockerClient(base_url=f"unix://{sys.argv[1]}", timeout=30)
assert client.ping()
assert client.version()["Platform"]["Name"] == "netebpf"
assert client.info()["Images"] == 0 and client.images.list() == []


def refused(call, status, text):
    try:
        call()
    except APIError as error:
        assert (error.status_code, error.explanation) == (status, text), error
    else:
        raise AssertionError(f"not refused: {text}")


# Events are followed while all else happens.
seen = []
stream = client.events(decode=True)
follower = threading.Thread(target=lambda: seen.extend(stream), daemon=True)
follower.start()

# Networks.
pool = docker.types.IPAMPool(subnet="10.77.0.0/24", gateway="10.77.0.254")
front = client.networks.create(
    "py-front", driver="bridge", ipam=docker.types.IPAMConfig(pool_configs=[pool]), labels={"by": "python"}
)
client.networks.create("py-unused", labels={"by": "python"})
assert [network.name for network in client.networks.list(names=["^py-front$"])] == ["py-front"]
assert len(client.networks.list(filters={"label": "by=python"})) == 2
assert front.attrs["IPAM"]["Config"] == [{"Subnet": "10.77.0.0/24", "Gateway": "10.77.0.254"}]
refused(lambda: client.networks.create("py-front"), 409, "network with name py-front already exists")

# Containers: `web` was made by `netebpf run`.
web = client.containers.get("web")
assert web.status == "running" and web.name == "web" and web.labels == {"tier": "web"}
assert [container.name for container in client.containers.list()] == ["web"]
front.connect(web, aliases=["www"], ipv4_address="10.77.0.9")
web.reload()
endpoint = web.attrs["NetworkSettings"]["Networks"]["py-front"]
assert endpoint["IPAddress"] == "10.77.0.9" and endpoint["Aliases"] == ["www"], endpoint
assert endpoint["DNSNames"] == ["web", "www", web.short_id], endpoint
front.reload()
assert [container.id for container in front.containers] == [web.id]
assert client.networks.prune(filters={"label": "by=python"}) == {"NetworksDeleted": ["py-unused"]}
front.disconnect(web)
front.remove()
refused(front.reload, 404, f"network {front.id} not found")

assert web.logs() == b"hello\nworld\n" and web.logs(tail=1) == b"world\n"
assert b"".join(client.api.logs("web", stream=True, follow=False)) == b"hello\nworld\n"
web.rename("site")
refused(lambda: client.containers.get("web"), 404, "No such container: web")
web.stop()
assert web.wait() == {"StatusCode": 143}
web.reload()
assert web.status == "exited" and web.attrs["State"]["ExitCode"] == 143
assert client.containers.list() == []
assert [container.name for container in client.containers.list(filters={"status": "exited"})] == ["site"]
web.start()
web.restart(timeout=0)
web.kill(signal="SIGHUP")
assert web.wait()["StatusCode"] == 129
web.start()
refused(
    web.remove,
    409,
    f'cannot remove container "{web.id}": container is running: stop the container before removing or force remove',
)
web.remove(force=True)
try:
    web.reload()
    raise AssertionError("it is gone")
except NotFound:
    pass
assert client.containers.prune()["ContainersDeleted"] is None

# What sandboxes have not is refused, with the reason.
try:
    client.containers.create("busybox", "true")
    raise AssertionError("there are no images")
except APIError as error:
    assert error.status_code == 501 and "netebpf run" in error.explanation, error

stream.close()
follower.join(30)
actions = [(event["Type"], event["Action"]) for event in seen]
for action in [
    ("network", "create"),
    ("network", "connect"),
    ("network", "disconnect"),
    ("network", "destroy"),
    ("container", "rename"),
    ("container", "kill"),
    ("container", "die"),
    ("container", "stop"),
    ("container", "start"),
    ("container", "restart"),
    ("container", "destroy"),
]:
    assert action in actions, (action, actions)
died = next(event for event in seen if event["Action"] == "die")
assert died["Actor"]["Attributes"]["exitCode"] == "143" and died["Actor"]["Attributes"]["name"] == "site"
past = client.events(since=0, until=1, decode=True)
assert list(past) == []
print("all is well")
