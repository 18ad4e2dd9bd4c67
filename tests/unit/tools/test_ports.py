"""A port in use is named with the program that has it and a way out, in one line."""

import os
import socket

import pytest

from tools import ports
from tools.steps import SetupError


def test_a_free_port_is_no_problem() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ports.must_be_free(port, "the desk", "stop it")


@pytest.mark.parametrize(("address", "family"), [("127.0.0.1", socket.AF_INET), ("0.0.0.0", socket.AF_INET)])
def test_a_port_in_use_names_who_has_it(address: str, family: socket.AddressFamily) -> None:
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]
        with pytest.raises(SetupError) as refused:
            ports.must_be_free(port, "the desk", "stop it, or PORT=8001 make run")
    sentence = str(refused.value)
    assert sentence.startswith(f"port {port} (the desk) is in use by ")
    assert f"(pid {os.getpid()})" in sentence or "another program" in sentence
    assert sentence.endswith("stop it, or PORT=8001 make run")
    assert "\n" not in sentence
