"""Standard forms: what a source wrote becomes comparable, typed and checked values, with the display kept
beside.

`standardise` works on tables; the normalisers beside it (`persons`, `organisations`, `phones`, `emails`,
`tax_ids`,
`dates`, `places`, `addresses`) each work on one value and remember what they have seen.
"""

from identity.standard.cards import IdOf
from identity.standard.latin import latin_key
from identity.standard.nicknames import nickname_class
from identity.standard.pipeline import Standardised, standardise
from identity.standard.profile import AttributeType, Profile

__all__ = ["AttributeType", "IdOf", "Profile", "Standardised", "latin_key", "nickname_class", "standardise"]
