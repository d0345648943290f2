"""The pages of the sandbox: its home, the payment page and invoices."""
