"""The languages of the shop: gettext catalogues, and Babel's formats."""
