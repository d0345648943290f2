"""Files of other shops, written by hand, and how an in-memory shop takes them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.import_plan import PRESETS, Plan, plan_of
from domain.purchase import Purchase
from domain.staff import Actor
from domain.uploads import Upload, UploadState
from domain.usecases.manage_uploads import Seen, UploadChange
from domain.usecases.receive_upload import Receiving
from domain.values import ProductId
from entrypoints.testing.office import HOST, Office
from testkit.servers import ROOT
from testkit.stepping import run

EXPORTS = ROOT / "tests" / "integration" / "exports"
GUMROAD, STRIPE, OWN = (EXPORTS / f"{name}.csv" for name in ("gumroad", "stripe", "own"))


def a_plan(preset: str = "own", **more: Any) -> Plan:
    return plan_of(PRESETS[preset], **more)


@dataclass
class Importer:
    """An owner who imports files."""

    office: Office = field(default_factory=Office)
    actor: Actor = HOST

    def upload(self, content: bytes, *, name: str = "sales.csv", at: int = 1 << 16) -> Upload:
        receiving = run(self.office.receive_upload.begin(name, actor=self.actor, form=self.office.form()))
        assert isinstance(receiving, Receiving), receiving
        for start in range(0, len(content), at):
            run(receiving.feed(content[start : start + at]))
        return run(receiving.end())

    def check(self, upload: Upload, plan: Plan) -> Upload:
        assert run(self.office.uploads.plan(upload.id, plan, actor=self.actor)) is UploadChange.DONE
        run(self.office.run_uploads())
        return self.held(upload)

    def start(self, upload: Upload, *, email: bool = False) -> None:
        form = self.office.form()
        done = run(self.office.uploads.start(upload.id, email=email, actor=self.actor, form=form))
        assert done is UploadChange.DONE

    def bring(self, content: bytes, plan: Plan, *, email: bool = False) -> Upload:
        """Upload, check and import; the file as it is then. What was checked is what came of it."""
        checked = self.check(self.upload(content), plan)
        assert checked.state is UploadState.CHECKED, checked
        self.start(checked, email=email)
        run(self.office.run_uploads())
        done = self.held(checked)
        assert (done.state, done.report) == (UploadState.DONE, checked.report)
        return done

    def look(self, upload: Upload) -> Seen:
        seen = run(self.office.uploads.look(upload.id, actor=self.actor))
        assert isinstance(seen, Seen), seen
        return seen

    def held(self, upload: Upload) -> Upload:
        return self.look(upload).upload

    @property
    def purchases(self) -> Mapping[str, Purchase]:
        """What is owned here, by whose it is."""
        held = self.office.shop.memory.tables.purchases.values()
        return {one.mailbox.canonical: one for one in held if one.mailbox is not None}


def renamed(**names: str) -> Mapping[str, ProductId]:
    return {there: ProductId(here) for there, here in names.items()}
