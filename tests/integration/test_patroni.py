"""The cluster that the drills kill: it comes up, and a standby takes over with everything that was committed."""

from __future__ import annotations

import psycopg
import pytest

from testkit.patroni import a_cluster
from testkit.tools import postgres_binaries, program

pytestmark = [pytest.mark.drill, pytest.mark.long]


def test_a_standby_takes_over_and_the_dead_primary_comes_back_as_a_standby() -> None:
    program("patroni")
    program("etcd")
    postgres_binaries()
    with a_cluster() as cluster:
        cluster.create_database("books")
        with psycopg.connect(cluster.url("books"), autocommit=True) as connection:
            connection.execute("CREATE TABLE sales (id int PRIMARY KEY)")
            connection.execute("INSERT INTO sales SELECT generate_series(1, 1000)")
        dead = cluster.leader()
        assert dead is not None
        dead.kill()
        cluster.until(cluster.takes_writes, "another node takes writes", within=120)
        with psycopg.connect(cluster.url("books")) as connection:
            assert connection.info.port != dead.port
            assert connection.execute("SELECT count(*) FROM sales").fetchone() == (1000,)
        cluster.start_node(dead)
        cluster.until_safe()
        assert cluster.leader() is not dead
