"""A micro-conversion audit: raw analytics export in, client-ready report out."""

__version__ = "1.0.0"

__all__ = ["__version__", "open_audit"]


def __getattr__(name: str):
    # Imported on first use, so that `audit --help` does not pay for pandas and DuckDB.
    if name == "open_audit":
        from conversion_audit.audit import open_audit

        return open_audit
    raise AttributeError(f"module 'conversion_audit' has no attribute {name!r}")
