"""What a page has to keep to: well-formed, elements where they may stand, nothing loaded from elsewhere."""

import xml.etree.ElementTree as ElementTree

PROSE = {"code", "a"}
INSIDE = {
    "html": {"head", "body"},
    "head": {"meta", "title", "style"},
    "body": {"main"},
    "main": {"h1", "p", "ul", "ol", "dl", "div", "pre", "figure", "section"},
    "section": {"h2", "p", "ul", "ol", "dl", "div", "pre", "figure"},
    "div": {"table", "div", "h3", "pre"},
    "dl": {"dt", "dd"},
    "ul": {"li"},
    "ol": {"li"},
    "table": {"caption", "thead", "tbody"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tr": {"th", "td"},
    "figure": {"img", "figcaption"},
    **dict.fromkeys(("p", "li", "pre", "dt", "dd", "td", "th", "caption", "figcaption"), PROSE),
}
"""The elements that are used, and what may stand in each."""
EMPTY = {"meta", "title", "style", "img", "h1", "h2", "h3", "code", "a"}
"""Those in which no other may stand."""


def checked(page: str) -> ElementTree.Element:
    """Read a page strictly and give its root."""
    doctype, _, rest = page.partition("\n")
    assert doctype == "<!DOCTYPE html>"
    root = ElementTree.fromstring(rest)
    assert root.tag == "html"
    assert root.get("lang") in ("en", "es")
    for element in root.iter():
        assert element.tag in INSIDE.keys() | EMPTY
        wrong = {child.tag for child in element} - INSIDE.get(element.tag, set())
        assert not wrong, f"<{element.tag}> holds {wrong}"
        assert "style" not in element.attrib
        assert not [name for name in element.attrib if name.startswith("on")]
        if element.tag == "a":
            assert element.get("href", "").startswith("https://")
            assert element.text
    images = root.findall(".//img")
    assert all(image.get("src", "").startswith("data:image/svg+xml;base64,") for image in images)
    assert "url(" not in page
    assert "@import" not in page
    for figure in root.findall(".//figure"):
        assert [child.tag for child in figure] == ["img", "figcaption"]
        assert len(figure[0].get("alt", "")) > 20
        assert len("".join(figure[1].itertext())) > 20
    widths = [{len(row) for row in table.iter("tr")} for table in root.iter("table")]
    assert all(len(one) == 1 for one in widths), "rows of a table have as many cells as its head"
    assert len(root.findall(".//h1")) == len(root.findall(".//title")) == 1
    return root
