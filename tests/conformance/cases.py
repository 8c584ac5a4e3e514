#!/usr/bin/env python3
"""Writes cases.json: texts that every surface must recognise alike.

    python3 tests/conformance/cases.py
"""
import json
from pathlib import Path

LEAK = "The oil leak at the shaft seal of the bow thruster was small."
PILOT = "Maren Tóth boarded the Grey Petrel in Port Alder at six."
CASES = {
    "plain": LEAK,
    "nested": "The harbour master of Port Alder inspected the starboard engine of the Grey Petrel.",
    "accents": PILOT,
    "combining marks": "Maren To\u0301th left the Grey Petre\u0300l at six.",
    "emoji": "😀 Maren Tóth 👩‍🚀 boarded the Grey Petrel 🚢 in Port Alder.",
    "chinese": "馬倫·托特 boarded the Grey Petrel 灰海燕号 in 奥尔德港.",
    "mixed scripts": "Ольга reported an oil leak; ناصر found the cracked seal. שלום!",
    "crlf": f"{LEAK}\r\n{PILOT}\r\n",
    "tabs and odd spaces": "The\toil\u00a0leak at\u2003the  shaft seal\u200b of the bow thruster.",
    "joined words": "oil-leak/shaft-seal(bow thruster),Grey Petrel;Port Alder",
    "upper case": LEAK.upper(),
    "control characters": "The oil\u0000 leak at\u0007 the shaft seal\ufffd of the bow thruster.",
    "byte order mark": "\ufeff" + LEAK,
    "markup": "<b>Maren Tóth</b> &amp; the <i>Grey Petrel</i><script>alert(1)</script>",
    "one letter": "a",
    "no words": "... !!! ???",
    "empty": "",
    "only spaces": " \t\r\n  ",
    "long word": "thruster" * 200,
    "very long": " ".join(f"{LEAK} {PILOT} Entry {number} ends here." for number in range(31)),
}

path = Path(__file__).with_name("cases.json")
cases = [{"name": name, "text": text} for name, text in CASES.items()]
path.write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
