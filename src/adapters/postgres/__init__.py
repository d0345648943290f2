"""The store on PostgreSQL, by psycopg; imported only where a shop asks for it."""
