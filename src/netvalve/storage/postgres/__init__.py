"""The store on PostgreSQL: many gateways on one database."""
