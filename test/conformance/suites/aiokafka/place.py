"""A pytest plugin: aiokafka's tests on a broker that is there already ($KTOOL_SUITE_PLACE, HOST:PORT), not in docker.

What its fixtures would take from a container is answered here; tests of ACLs, SASL, Kerberos and TLS, which change the
container's broker with its own tools, can't run so.
"""

import os
import pathlib
import types


def _server():
    host, port = os.environ["KTOOL_SUITE_PLACE"].rsplit(":", 1)
    server = types.SimpleNamespace(host=host, port=int(port), container=None)
    server.ssl_port = server.sasl_plain_port = server.sasl_ssl_port = 1
    server.hosts = [f"{host}:{port}"]
    return server


_ANSWERS = {
    "docker": lambda: None,
    "kafka_image": lambda: "kafka:2.13_2.8.1",
    "ssl_folder": lambda: pathlib.Path("tests/ssl_cert"),
    "kafka_server": _server,
    "acl_manager": lambda: None,
    "kafka_config": lambda: None,
    "kerberos_utils": lambda: None,
}


def pytest_fixture_setup(fixturedef, request):
    answer = _ANSWERS.get(fixturedef.argname)
    if answer is None:
        return None
    value = answer()
    fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
    return value if value is not None else ""
