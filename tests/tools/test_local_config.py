import json

from local_config import local_config, read_wrangler_toml
from pyodide_bundle import DEVELOPMENT_FLAGS, Bundle

# As long as production may go back to the JavaScript Worker.
HELD_BACK = {"ARCHIVE_DAYS", "SESSION_RETENTION_DAYS", "VISITOR_RETENTION_DAYS"}
OFFICIAL = Bundle(official=True, pyodide_version="1.2.3", description="official")
ASSEMBLED = Bundle(official=False, pyodide_version="1.2.3", description="assembled")
WRANGLER = {
    "name": "local",
    "compatibility_flags": ["python_workers"],
    "vars": {"LOG_LEVEL": "info"},
    "build": {"command": "make build"},
    "env": {"production": {"name": "live"}},
}


def test_production_and_the_build_command_are_left_out() -> None:
    assert local_config(WRANGLER, OFFICIAL) == {
        "name": "local",
        "compatibility_flags": ["python_workers"],
        "vars": {"LOG_LEVEL": "info"},
    }


def test_an_assembled_bundle_brings_its_own_flags() -> None:
    assert local_config(WRANGLER, ASSEMBLED)["compatibility_flags"] == DEVELOPMENT_FLAGS


def test_what_was_read_stays_as_it_is() -> None:
    before = json.dumps(WRANGLER)
    local_config(WRANGLER, ASSEMBLED)
    assert json.dumps(WRANGLER) == before


def test_our_own_configuration_runs_here_without_production() -> None:
    wrangler = read_wrangler_toml()
    config = local_config(wrangler, OFFICIAL)
    assert wrangler.keys() - config.keys() == {"env", "build"}
    assert config["compatibility_flags"] == wrangler["compatibility_flags"]
    assert config["vars"]["ENVIRONMENT"] == "development"
    production = wrangler["env"]["production"]
    live = [production["name"], *(store["database_id"] for store in production["d1_databases"])]
    assert not any(value in json.dumps(config) for value in live[1:])


def test_production_has_every_binding_that_the_local_environment_has() -> None:
    wrangler = read_wrangler_toml()
    production = wrangler["env"]["production"]
    for kind in ("d1_databases", "kv_namespaces", "r2_buckets"):
        assert [store["binding"] for store in production[kind]] == [
            store["binding"] for store in wrangler[kind]
        ]
    assert production["durable_objects"] == wrangler["durable_objects"]
    assert production["migrations"] == wrangler["migrations"]
    assert production["triggers"] == wrangler["triggers"]
    assert production["vars"].keys() - HELD_BACK == wrangler["vars"].keys()
