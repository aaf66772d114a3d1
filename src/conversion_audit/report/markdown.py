"""What a consultant writes beside the numbers, as HTML."""

from __future__ import annotations


def markdown_html(source: str) -> str:
    """Return a consultant's commentary as HTML: emphasis, lists and paragraphs; markup, links and pictures stay text."""
    if not source or not source.strip():
        return ""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).disable(
        ["link", "image", "autolink", "reference", "html_inline"]
    )
    tokens = parser.parse(source)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "h4"
    return parser.renderer.render(tokens, parser.options, {})
