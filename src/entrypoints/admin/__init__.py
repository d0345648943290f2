"""The back office: `/admin`, in the same process as the shop, with pages, cookies and headers of its own."""
