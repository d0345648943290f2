"""What every store promises of long reads. Part of the store contract."""

from __future__ import annotations

import pytest
from contracts import samples
from contracts.under_test import StoreUnderTest

from domain.ports import StoreUnavailable


class SurveyContract(StoreUnderTest):
    """See StoreContract, which says how to open a store and how to run."""

    def test_a_survey_sees_what_is_committed(self) -> None:
        self._sell("c1")
        found = self.run(self.store.survey(lambda tx: tx.purchases.page_after("", limit=9)))
        assert [held.purchase for held in found] == [samples.a_purchase("c1")]
        self._sell("c2")
        assert len(self.run(self.store.survey(lambda tx: tx.purchases.page_after("", limit=9)))) == 2

    def test_a_survey_cannot_write_and_the_next_one_runs(self) -> None:
        with pytest.raises((StoreUnavailable, TypeError, AttributeError)):
            self.run(self.store.survey(lambda tx: tx.purchases.book(samples.a_purchase("c1", user=None))))  # type: ignore[attr-defined]  # a reader has no such method
        assert self.run(self.store.survey(lambda tx: tx.purchases.page_after("", limit=9))) == []

    def test_what_a_survey_raises_comes_back(self) -> None:
        def work(tx: object) -> None:
            raise LookupError("no")

        with pytest.raises(LookupError):
            self.run(self.store.survey(work))
