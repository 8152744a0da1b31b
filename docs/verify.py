"""Check a workshop's public ledger from outside: python verify.py URL [CHECKPOINT]

Recomputes the tree and every decision. CHECKPOINT is a file kept from earlier. Exit code 1: something is wrong."""

import base64
import json
import math
import sys
import urllib.request
from datetime import datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NEVER, moment, FREE = "0001-01-01T00:00:00Z", datetime.fromisoformat, {"rule": "settings", "voided": 0, "given_back": 0}


def fetch(address):
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read().decode()


def rows(address, key, following):
    while following is not None:
        found = json.loads(fetch(f"{address}?limit=200&{key}={following}"))
        yield from found["data"]
        following = found["next"]


def root_of(leaves):  # RFC 6962
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root_of(leaves[:left]) + root_of(leaves[left:])).digest()


def open_note(note, vkey):  # C2SP signed note: size, root and time, once the signature is right
    name, key_id, encoded = vkey.strip().split("+", 2)
    text, signer, signature = note.strip().replace("\n\n— ", " ").rsplit(" ", 2)
    signature = base64.b64decode(signature)
    if (signer, signature[:4].hex()) != (name, key_id):
        raise InvalidSignature
    Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:]).verify(signature[4:], f"{text}\n".encode())
    _, size, root, time = text.split("\n")
    return int(size), base64.b64decode(root), time.removeprefix("time ")


def votes(entry, entries):  # what is wrong by the rule, on the public tallies
    kind, rule, lines, at = entry["kind"], entry["rule"], entry["tallies"], moment(entry["at"])
    active, supporters = (sum(it[field] for it in lines) for field in ("members", "support"))
    need = 1 if active == 1 else max(2, math.isqrt(max(active, 1) - 1) + 1)
    supply = [-(-it["members"] // 8) * (it["chapter"] != "at large" or it["members"] > 1) for it in lines]
    reach, pro, con = 0, Fraction(0), Fraction(0)
    for line, own in zip(lines, supply, strict=True):
        cap, cast = max(-(-need // 2), need - sum(supply) + own), line["support"] + line["oppose"]
        reach, weight = reach + min(line["support"], cap), min(Fraction(1), Fraction(cap, max(cast, 1)))
        pro, con = pro + line["support"] * weight, con + line["oppose"] * weight
    wait, since = rule[f"wait_{entry['mode']}"], entry["passing_since"] or entry["since"] or entry["at"]
    wait = timedelta(seconds=wait if wait is not None else 1800 if need >= 32 else 3600 if need >= 10 else 7200)
    waited = moment(since) + wait * (kind == "unpromoted" or 2 * supporters <= active)
    alone = {it["chapter"] for it in lines if it["chapter"] == "at large" or it["members"] >= max(3, need / 2)}
    yield len(alone) < len(lines) or active != entry["electorate"], "members are never counted like this"
    yield rule not in [it["rule"] for it in entries[: entry["sequence"]] if it["kind"] == "rule"], "an untold rule"
    yield entry["score"] != str(pro / (pro + con + 2)), "the score does not follow from the votes"
    passes, falls = reach >= need and pro >= 3 * con, 3 * con >= need and pro < 2 * con and waited <= at
    yield kind == "unpromoted" and not falls, "the votes do not take the approval away"
    yield kind != "unpromoted" and not passes, f"{reach} of {need} people, {pro} to {con}: this does not pass"
    if kind == "promoted":
        due, closes = moment(entry["waits_until"]), moment(entry["opened_at"]) + timedelta(seconds=rule["vote_lasts"])
        yield not max(waited, moment(entry["not_before"] or since)) <= due <= at, "approved before its wait was over"
        yield due > closes and entry["text"] != entry["base"], "the vote was over by then"
    for rival in entry["to_beat"]:
        other = entries[rival["entry"] - 1] if 0 < rival["entry"] < entry["sequence"] else {}
        told = (other.get("score"), other.get("page_id")) == (rival["score"], entry["page_id"])
        yield not told or Fraction(entry["score"]) <= Fraction(rival["score"]), f"not above entry {rival['entry']}"


class Page:  # as each entry leaves it: the hash in force, its approval, until when it is stopped, what was taken away
    text, approval, held, texts, removed, cast_on = None, {"at": NEVER, "mode": None}, "", (), frozenset(), ()

    def enter(self, entry, entries):
        kind, text, was = entry["kind"], entry["text"], self.approval
        early = all(it["basis"] in ("settings", "before the ledger") for it in entries[: entry["sequence"]])
        left = [it for it in self.texts if it not in self.removed and it != self.text] or [self.text]
        new = dict.fromkeys(("imported", "promoted", "corrected", "restored"), text)
        due = {"held": self.text, "released": self.text, "withdrawn": None, "unpromoted": left[-1], **new}
        yield text != due.get(kind, ""), f"“{kind}” is unknown, or leads to another text"
        yield entry["base"] != self.text, "the text before is not the one that was in force"
        yield kind == "imported" and self.texts and not early, "an import over what was approved"
        yield kind == "promoted" and entry["at"] < self.held, "approved while it was stopped"
        yield kind == "restored" and (text not in self.removed or len(set(entry["by"])) < 2), "restored by too few"
        if (kind, entry["basis"]) == ("unpromoted", "rapid"):
            age = moment(entry["at"]) - moment(was["at"])
            yield was["mode"] != "rapid" or age < timedelta(seconds=was["rule"]["rapid_lasts"]), "it could stay"
        elif kind in ("promoted", "unpromoted") or (kind == "corrected" and text not in {*self.texts} - self.removed):
            yield from votes(entry, entries)
        self.removed |= {self.text} if kind in ("unpromoted", "withdrawn") else set()
        self.approval = {"unpromoted": Page.approval, **dict.fromkeys(new, entry), "restored": was}.get(kind, was)
        if kind in new:
            self.texts, self.removed = (*self.texts, text), self.removed - {text}
            self.cast_on = (*self.cast_on, *((text, it) for it in entry["carried_from"]))
        self.text, self.held = text, (entry["until"] or "9") if kind == "held" else ""


def check(url, kept=None):  # all that could be wrong, and whether it is
    vkey, note = fetch(f"{url}/ledger/key"), fetch(f"{url}/ledger/checkpoint")
    entries, (size, root, _) = [row["entry"] for row in rows(f"{url}/ledger", "after", 0)], open_note(note, vkey)
    leaves, time, before, pages = [], "", None, {entry["page_id"]: Page() for entry in entries}
    for place, entry in enumerate(entries, 1):
        yield (entry["sequence"], entry["previous"]) != (place, before), f"Entry {place} is not in its place."
        yield entry["at"] < time, f"Entry {place} is dated before the one it follows."
        few = [(entry["basis"] != FREE.get(entry["kind"]) and len(entry["by"]) < 2, "decided by too few moderators")]
        wrong = few if entry["kind"] in FREE else pages[entry["page_id"]].enter(entry, entries)
        yield from ((is_wrong, f"Entry {place}: {words}.") for is_wrong, words in wrong)
        body = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        leaves.append(sha256(b"\0" + body).digest())
        time, before = entry["at"], leaves[-1].hex()
    yield size > len(leaves) or root_of(leaves[:size]) != root, "The entries are not those that were signed."
    old_size, old_root, old_time = open_note(kept, vkey) if kept else (0, root_of([]), "")
    yield old_size > size, f"The ledger had {old_size} entries and has {size}."
    yield root_of(leaves[:old_size]) != old_root, "The first entries are not those that your checkpoint covers."
    yield any(it["at"] < old_time for it in entries[old_size:]), "An entry after your checkpoint is dated before it."
    owners = {str(entry["sequence"]): entry["page_id"] for entry in entries}
    missing = {page_id for page_id, page in pages.items() if page.text and not page.held}
    for row in rows(f"{url}/approved", "cursor", ""):
        number, text, slug = row["links"]["ledger"].rpartition("/")[2], row.get("text"), row["slug"]
        page, digest = pages[owners.get(number)], sha256((text or "").encode()).hexdigest()
        new = number.isdecimal() and number not in owners  # approved since the entries were read, else missing below
        yield not (text is None or new or digest == page.text), f"{slug}: the text served is not the one approved."
        cast_on = {sha for text, sha in page.cast_on if text not in page.removed}
        here = {it["sha256"] for it in rows(f"{url}/pages/{slug}/revisions", "cursor", "")} if cast_on else cast_on
        yield cast_on - here, f"{slug}: a text that votes were cast on is missing."
        missing.discard(owners.get(number))
    yield missing, f"Approved texts of these pages are not served: {missing}."


if __name__ == "__main__":
    len(sys.argv) > 1 or sys.exit(__doc__)
    try:
        files = [Path(name).read_text(encoding="utf-8") for name in sys.argv[2:3]]
        found = [words for wrong, words in check(sys.argv[1].rstrip("/") + "/api/v1", *files) if wrong]
    except InvalidSignature:
        found = ["A checkpoint was not signed with the key of this ledger."]
    except (OSError, ValueError, LookupError, TypeError) as error:
        found = [f"This could not be checked: {error!r}"]
    print(*found or ["Good: every entry, decision, text and signature is as it should be."], sep="\n")
    sys.exit(1 if found else 0)
