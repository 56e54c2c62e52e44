"""What everybody needs: a focus that is seen, names that are said, text that can be read and made larger, motion that can be still."""

import re
from itertools import product

import pytest
from playwright.sync_api import Page

from tests.clients.contract_backend import ContractBackend
from tests.clients.contract_server import CLIENTS
from tests.clients.page_driver import at_home, press

UNSEEN = """() => {
  const look = (item) => ['backgroundColor', 'boxShadow', 'scale', 'color', 'outline'].map((name) => getComputedStyle(item)[name]).join('|')
    + [...item.children].map((child) => getComputedStyle(child).boxShadow + getComputedStyle(child).backgroundColor).join('|');
  const items = [...document.querySelectorAll('.screen:not(.is-below) [data-item]')].filter((item) => item.offsetParent);
  const kinds = new Map(items.map((item) => [item.className, item]));
  const unseen = [];
  for (const [kind, item] of kinds) {
    document.activeElement.blur();
    const before = look(item);
    item.focus({ preventScroll: true });
    if (look(item) === before) unseen.push(kind);
  }
  return unseen;
}"""
NAMELESS = """() => [...document.querySelectorAll('button, a, input, select, [role=searchbox]')]
  .filter((one) => one.offsetParent && !one.closest('.is-below') && !one.ariaLabel && !one.innerText.trim() && !one.placeholder)
  .map((one) => one.outerHTML.slice(0, 120))"""
CLIPPED = """() => [...document.querySelectorAll('.button, .action span, .tab-bar span, .row h2')]
  .filter((one) => one.offsetParent && (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0 || one.getBoundingClientRect().right > innerWidth + 1))
  .map((one) => one.outerHTML.slice(0, 120))"""


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [":root", ':root[data-kids="true"]'])
def test_every_text_can_be_read_on_every_ground(theme: str) -> None:
    """WCAG AA for text: 4.5 to 1, also in the light of a kids profile; high grounds carry no faint text."""
    css = (CLIENTS / "shared" / "theme.css").read_text()
    colours: dict[str, str] = {}
    for block in (":root", theme):
        body = css[css.index(f"{block} {{") :].split("}", 1)[0]
        colours |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", body))
    texts = ["paper", "paper-soft", "paper-faint", "lamp", "alarm"]
    for text, ground in product(texts, ["ink", "ink-raised", "ink-high"]):
        if (text, ground) == ("paper-faint", "ink-high"):
            continue
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


def test_the_focus_is_seen_and_everything_has_a_name_on_tv(tv: Page, site: str, backend: ContractBackend) -> None:
    """Home, details, search, the list and the profiles: each kind of item looks another way when it has the focus."""
    backend.my_list = ["mov_metropolis"]
    backend.positions = {"mov_nosferatu": 900.0}
    at_home(tv, site, backend)
    found = [tv.evaluate(UNSEEN), tv.evaluate(NAMELESS)]
    press(tv, "ArrowDown", "Enter")
    tv.wait_for_selector(".details[data-state=ready]")
    found += [tv.evaluate(UNSEEN), tv.evaluate(NAMELESS)]
    press(tv, "Escape")
    tv.wait_for_selector(".details", state="detached")
    tv.click("[data-place=SEARCH]")
    tv.wait_for_selector(".genre")
    found += [tv.evaluate(UNSEEN), tv.evaluate(NAMELESS)]
    tv.keyboard.type("the")
    tv.wait_for_selector(".choice:nth-child(2)")
    found += [tv.evaluate(UNSEEN), tv.evaluate(NAMELESS)]
    tv.click(".place.who")
    tv.wait_for_selector(".profile-card")
    found += [tv.evaluate(UNSEEN), tv.evaluate(NAMELESS)]
    assert [one for one in found if one] == []


def test_larger_text_fits_the_phone(phone: Page, site: str, backend: ContractBackend) -> None:
    """Half as large again: nothing is cut off or pushed off the screen, and everything is named."""
    phone.add_init_script(
        "addEventListener('DOMContentLoaded', () => { document.documentElement.style.fontSize = '24px'; })"
    )
    at_home(phone, site, backend, path="/phone/")
    assert phone.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") > 20
    found = [phone.evaluate(CLIPPED), phone.evaluate(NAMELESS)]
    assert phone.evaluate("document.querySelector('.home').scrollWidth") <= 390
    phone.evaluate("location.hash = '#/title/ser_les-vampires'")
    phone.wait_for_selector(".details[data-state=ready]")
    found += [phone.evaluate(CLIPPED), phone.evaluate(NAMELESS)]
    assert phone.evaluate("document.querySelector('.sheet-body').scrollWidth") <= 390
    phone.evaluate("location.hash = '#/search'")
    phone.wait_for_selector(".genre")
    found += [phone.evaluate(CLIPPED), phone.evaluate(NAMELESS)]
    assert phone.evaluate("document.querySelector('.search').scrollWidth") <= 390
    assert [one for one in found if one] == []


def test_nothing_moves_for_who_asked_for_stillness(tv: Page, site: str, backend: ContractBackend) -> None:
    """With reduced motion no element has a transition or an animation."""
    at_home(tv, site, backend)
    moving = """() => [...document.querySelectorAll('*')].filter((one) => {
      const style = getComputedStyle(one);
      return style.animationName !== 'none' || style.transitionDuration.split(', ').some((time) => time !== '0s');
    }).length"""
    assert tv.evaluate(moving) == 0
    tv.emulate_media(reduced_motion="no-preference")
    assert tv.evaluate(moving) > 0
