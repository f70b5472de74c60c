"""Where log lines go: stderr, errors only unless --verbose; libraries set the levels of their own loggers."""

import logging


def log_to_stderr(*, verbose: bool) -> None:
    """Send the lines of every logger to stderr, from INFO with --verbose, else from ERROR."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.INFO if verbose else logging.ERROR)
    logging.basicConfig(level=handler.level, handlers=[handler], format="%(levelname)s %(name)s: %(message)s")


def structured_to_stderr() -> None:
    """Send what the server logs as events the same way; stdout would be structlog's choice."""
    import structlog

    line = structlog.processors.KeyValueRenderer(key_order=["event"])
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.processors.format_exc_info, line],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )
