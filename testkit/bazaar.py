"""A catalogue with a product of every kind: free, priced by the buyer, in other currencies, with keys, bundled."""

from __future__ import annotations

from pathlib import Path

PRODUCTS = {
    "a-gift": 'name = "A Gift"\nprice = "0"\nsummary = "For nothing."\n',
    "your-price": 'name = "Your Price"\nprice = "5.00"\npay_what_you_want = true\nsuggested = "12.00"\n',
    "abroad": 'name = "Abroad"\nprice = "9.00"\n[prices]\neur = "8.50"\njpy = "1200"\n',
    "keyed": 'name = "Keyed"\nprice = "20.00"\nlicence_keys = "generate"\n',
    "the-lot": 'name = "The Lot"\nprice = "30.00"\ncontains = ["keyed", "a-gift"]\n',
}
SHOP = (
    'name = "Bazaar"\ncurrency = "usd"\nsupport = "help@bazaar.example"\n[payment]\npromotion_codes = true\n'
)


def stock_a_bazaar(catalogue: Path) -> None:
    """Write it."""
    for pid, toml in PRODUCTS.items():
        (catalogue / pid).mkdir(parents=True)
        (catalogue / pid / "product.toml").write_text(toml)
        (catalogue / pid / "content.md").write_text(f"# Inside {pid}\n")
    (catalogue / "shop.toml").write_text(SHOP)
